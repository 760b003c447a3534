// Cancels that race the end of what they cancel: nobody else may ever feel one.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "ground.hpp"

namespace howdah::tests {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t kConnections = 8;

/// What several threads saw together.
struct Seen {
    std::atomic<std::uint64_t> in_time{0};
    std::atomic<std::uint64_t> given_up{0};
    std::atomic<std::uint64_t> innocent{0};
    std::atomic<std::uint64_t> stray{0};
    std::atomic<std::uint64_t> otherwise{0};
};

/// Lines of the server's log that tell of a cancel that hit a statement.
std::uint64_t cancels_that_hit(const postgres::ScratchServer& server) {
    std::ifstream log(server.log_file());
    std::uint64_t count = 0;
    for (std::string line; std::getline(log, line);) count += line.find("canceling statement due to user request") != std::string::npos;
    return count;
}

/// Runs statements whose deadline comes when they are about to end: half of them make it.
void race(Client& client, Seen& seen, std::uint64_t wanted, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    microseconds usual{500};
    while (seen.given_up < wanted) {
        const auto length = microseconds(200 + random() % 2000);
        const auto allowed = length + usual + microseconds(static_cast<std::int64_t>(random() % 400) - 200);
        const auto done = client.execute({.tag = "race", .deadline = steady_clock::now() + allowed}, "SELECT pg_sleep($1)",
                                         std::chrono::duration<double>(length).count());
        usual += microseconds(done ? -40 : 40);
        if (done) {
            ++seen.in_time;
        } else if (done.error().cause() == Cause::timed_out && done.error().phase() == Phase::receive) {
            ++seen.given_up;
        } else if (done.error().phase() != Phase::borrow && done.error().cause() != Cause::timed_out) {
            ++seen.otherwise;
        }
    }
}

/// Works on the same connections and asked for no cancel.
void be_innocent(Client& client, Seen& seen, std::uint64_t wanted) {
    while (seen.given_up < wanted) {
        const auto alone = client.execute("SELECT pg_sleep(0.001)");
        const auto together = client.run([](Transaction& transaction) -> Result<int> {
            for (int i = 0; i < 2; ++i) {
                if (auto slept = transaction.execute("SELECT pg_sleep(0.0005)"); !slept) return slept.error();
            }
            return 1;
        });
        seen.innocent += 2;
        for (const Error* error : {alone ? nullptr : &alone.error(), together ? nullptr : &together.error()}) {
            if (error == nullptr) continue;
            ++(error->sqlstate() == "57014" ? seen.stray : seen.otherwise);
            if (seen.stray + seen.otherwise < 5) ADD_FAILURE() << error->message();
        }
    }
}

TEST(Cancels, RacingTheEndHitNobodyElse) {
    const std::uint64_t wanted = count_from("HOWDAH_TEST_CANCELS", 150);
    const std::uint64_t seed = test_seed();
    auto server = ledger_server();
    auto client = open_client(app_conninfo(*server), kConnections);
    Sampler sampler(server->conninfo());
    Seen seen;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 12; ++i) threads.emplace_back([&, i] { race(client, seen, wanted, seed + i); });
    for (int i = 0; i < 8; ++i) threads.emplace_back([&] { be_innocent(client, seen, wanted); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(seen.stray, 0U);
    EXPECT_EQ(seen.otherwise, 0U);
    EXPECT_LE(sampler.most(), kConnections + 1) << sampler.most_of_pool() << " of the pool, " << sampler.most_monitors() << " monitors";
    fmt::print(
        "RESULT cancels: {} asked for, {} hit their statement, the others came too late; {} calls ended in time; {} innocent calls, {} stray\n",
        seen.given_up.load(), cancels_that_hit(*server), seen.in_time.load(), seen.innocent.load(), seen.stray.load());
    fmt::print("RESULT cancels: most sessions {} of {} + 1 in {} samples\n", sampler.most(), kConnections, sampler.samples());
}

TEST(Cancels, OneThatWasHeldUpOnItsWayHitsNobodyElse) {
    auto server = ledger_server();
    auto client = open_client(app_conninfo(*server), 1);
    postgres::Session superuser(server->conninfo());
    const auto monitor = [&] {
        const auto rows = superuser.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'howdah monitor'");
        return rows.size() == 1 ? static_cast<pid_t>(rows.integer(0, 0)) : 0;
    };
    ASSERT_TRUE(client.execute("SELECT 1"));
    ASSERT_TRUE(eventually([&] { return client.figures().pings > 0 && monitor() != 0; }));
    const pid_t stopped = monitor();
    ASSERT_EQ(::kill(stopped, SIGSTOP), 0);
    // The cancel waits in the stopped session while what it is meant for ends by itself.
    const auto late = client.execute({.deadline = steady_clock::now() + milliseconds(50)}, "SELECT pg_sleep(0.2)");
    EXPECT_FALSE(late);
    EXPECT_TRUE(eventually([&] { return client.figures().pool.draining == 0; }));
    std::thread wakes([&] {
        // Once the statement below runs, the cancel comes at last.
        EXPECT_TRUE(eventually([&] {
            return superuser.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(0.7)%' AND state = 'active'") ==
                   "1";
        }));
        ::kill(stopped, SIGCONT);
    });
    const auto innocent = client.execute("SELECT pg_sleep(0.7)");
    wakes.join();
    EXPECT_TRUE(innocent) << innocent.error().message();
}

TEST(Cancels, ASessionWhoseCommitWasAwaitedIsCancelledAgainLater) {
    auto server = ledger_server();
    postgres::Session superuser(server->conninfo());
    superuser.script(
        "CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END';"
        "CREATE TABLE public.slow (x int); GRANT ALL ON public.slow TO app;"
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON public.slow DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION public.dawdle()");
    auto client = open_client(app_conninfo(*server), 1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    ASSERT_TRUE(eventually([&] { return client.figures().pings > 0; }));
    const auto slow = client.run({.deadline = steady_clock::now() + milliseconds(150), .resolve = false},
                                 [](Transaction& transaction) { return transaction.execute("INSERT INTO slow VALUES (1)"); });
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().outcome(), Outcome::unknown) << slow.error().message();
    ASSERT_TRUE(eventually([&] { return client.figures().pool.idle == 1; }));
    const auto late = client.execute({.deadline = steady_clock::now() + milliseconds(50)}, "SELECT pg_sleep(5)");
    EXPECT_FALSE(late);
    const auto begun = steady_clock::now();
    EXPECT_TRUE(client.execute("SELECT 1"));
    EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(3)) << "the statement that nobody waited for was not cancelled";
}

}  // namespace
}  // namespace howdah::tests
