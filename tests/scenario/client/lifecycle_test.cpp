#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "scenario/client/ground.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Lifecycle : public VictimTest {};

TEST_F(Lifecycle, OpeningNeedsNoServerButSensibleOptions) {
    ClientOptions nowhere = options(1);
    nowhere.endpoint.conninfo = "host=/nowhere user=postgres";
    EXPECT_TRUE(Client::open(nowhere));
    nowhere.endpoint.pool.max_connections = 0;
    const auto none = Client::open(nowhere);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().phase(), Phase::configure);
    nowhere.endpoint.pool.max_connections = 1;
    nowhere.endpoint.conninfo = "hots=/nowhere";
    EXPECT_FALSE(Client::open(nowhere));
}

TEST_F(Lifecycle, ClosingReportsWhatItCloses) {
    Client client = open(3);
    {
        const auto one = client.borrow();
        const auto two = client.borrow();
        ASSERT_TRUE(one && two);
    }
    const CloseReport report = client.close(1s);
    EXPECT_EQ(report.idle_closed, 2U);
    EXPECT_EQ(report.dropped, 0U);
    EXPECT_EQ(sessions(), 0);
    const auto late = client.execute("SELECT 1");
    ASSERT_FALSE(late);
    EXPECT_NE(late.error().message().find("being closed"), std::string::npos);
    EXPECT_EQ(client.close(1s).idle_closed, 2U);
}

TEST_F(Lifecycle, ClosingWaitsForLeasesAndRefusesWaiters) {
    Client client = open(1);
    std::optional<Lease> lease;
    lease.emplace(*client.borrow());
    std::jthread waiter([&] { EXPECT_FALSE(client.execute("SELECT 1")); });
    ASSERT_TRUE(eventually([&] { return client.figures().pool.waiting == 1; }));
    std::jthread giver([&] {
        eventually([&] { return client.figures().pool.waiting == 0; });
        EXPECT_TRUE(lease->execute("SELECT 1"));
        lease.reset();
    });
    const CloseReport report = client.close(5s);
    EXPECT_EQ(report.returned, 1U);
    EXPECT_EQ(report.waiters_refused, 1U);
    EXPECT_EQ(report.dropped, 0U);
}

TEST_F(Lifecycle, ClosingCancelsWhatRunsTooLong) {
    for (const bool monitored : {true, false}) {
        ClientOptions few = options(1);
        if (!monitored) few.monitor.reset();
        Client client = open(std::move(few));
        if (monitored) {
            ASSERT_TRUE(await_monitor(client));
        }
        std::optional<Error> error;
        std::jthread caller([&] { error = client.execute("SELECT pg_sleep(30)").error(); });
        ASSERT_TRUE(eventually([&] { return runs("%pg_sleep(30)%"); }));
        const Stopwatch watch;
        const CloseReport report = client.close(50ms);
        caller.join();
        EXPECT_LT(watch.taken(), 2s);
        EXPECT_EQ(report.returned_after_cancel, 1U);
        ASSERT_TRUE(error);
        EXPECT_EQ(error->sqlstate(), "57014");
    }
}

TEST_F(Lifecycle, ClosingDropsWhatNeitherEndsNorIsCancelledAndItsCallerReturns) {
    ClientOptions brief = options(2);
    brief.endpoint.pool.cancel_time = 100ms;
    Client client = open(std::move(brief));
    ASSERT_TRUE(await_monitor(client));
    std::optional<Error> error;
    std::atomic<bool> returned{false};
    std::jthread caller([&] {
        error = client.execute({.tag = "the stuck one"}, "SELECT pg_sleep(30)").error();
        returned = true;
    });
    ASSERT_TRUE(eventually([&] { return runs("%pg_sleep(30)%"); }));
    const Frozen frozen(processes(server_));
    const Stopwatch watch;
    const CloseReport report = client.close(50ms);
    EXPECT_LT(watch.taken(), 3s);
    EXPECT_EQ(report.dropped, 1U);
    EXPECT_EQ(report.oldest_dropped, "the stuck one");
    EXPECT_TRUE(eventually([&] { return returned.load(); }, 2s)) << "its caller waits without end";
    caller.join();
    EXPECT_EQ(error->outcome(), Outcome::unknown);
}

TEST_F(Lifecycle, ClosingAbandonsDials) {
    const Impostor silent(Impostor::Manner::silent);
    ClientOptions there = options(1);
    there.endpoint.conninfo = silent.conninfo();
    Client client = open(std::move(there));
    std::string message;
    std::jthread caller([&] { message = client.execute("SELECT 1").error().message(); });
    ASSERT_TRUE(eventually([&] { return client.figures().pool.dialling == 1; }));
    const Stopwatch watch;
    const CloseReport report = client.close(5s);
    EXPECT_LT(watch.taken(), 1s);
    caller.join();
    EXPECT_EQ(report.dials_abandoned, 1U);
    EXPECT_EQ(report.waiters_refused, 1U);
    EXPECT_NE(message.find("being closed"), std::string::npos) << message;
}

TEST_F(Lifecycle, AChildOfAForkIsToldAndTheParentIsUnharmed) {
    Client client = open(3);
    ASSERT_TRUE(client.execute("SELECT 1"));
    auto lease = client.borrow();
    ASSERT_TRUE(lease && lease->execute("SELECT 1"));
    for (int round = 0; round < 20; ++round) {
        // Dials under way and calls of other threads meet the fork.
        std::jthread busy([&] { static_cast<void>(client.execute("SELECT 1")); });
        ASSERT_EQ(in_a_child([&] { return refused_as_forked(client, *lease); }), 0);
        EXPECT_EQ(shown(lease->execute("SELECT 1")), "1");
        EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
        if (round % 5 == 0) static_cast<void>(client.execute("SELECT pg_terminate_backend(pg_backend_pid())"));
    }
    EXPECT_EQ(client.figures().breaker_state, BreakerState::closed);
}

TEST_F(Lifecycle, AForkInsideABodyGivesTheChildNoTransaction) {
    const std::string name = table("id int");
    Client client = open(1);
    const auto done = client.run([&](Transaction& transaction) -> Result<int> {
        EXPECT_TRUE(transaction.execute("INSERT INTO " + name + " VALUES (1)"));
        EXPECT_EQ(in_a_child([&] { return transaction.execute("INSERT INTO " + name + " VALUES (2)") ? 1 : 0; }), 0);
        return 0;
    });
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(admin_.ask("SELECT string_agg(id::text, ',') FROM " + name), "1");
}

TEST_F(Lifecycle, ThePasswordIsAskedForAtEachDial) {
    admin_.ask("DROP ROLE IF EXISTS howdah_rotating");
    admin_.ask("CREATE ROLE howdah_rotating LOGIN PASSWORD 'first'");
    ClientOptions rotating = options(1);
    rotating.endpoint.conninfo = "host=127.0.0.1 port=" + std::to_string(server_.port()) +
                                 " user=howdah_rotating dbname=postgres sslmode=disable application_name=" + name_;
    rotating.monitor.reset();
    std::mutex mutex;
    std::string password = "first";
    std::atomic<int> asked{0};
    rotating.password = [&]() -> Result<std::string> {
        ++asked;
        const std::scoped_lock lock(mutex);
        return password;
    };
    Client client = open(std::move(rotating));
    EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
    EXPECT_EQ(asked, 1);
    admin_.ask("ALTER ROLE howdah_rotating PASSWORD 'second'");
    {
        const std::scoped_lock lock(mutex);
        password = "second";
    }
    terminate_sessions();
    EXPECT_EQ(shown(client.execute({.deadline = in(3s), .repeatable = true}, "SELECT 1")), "1");
    EXPECT_EQ(asked, 2);
    client.close(1s);
    admin_.ask("DROP ROLE howdah_rotating");
}

TEST_F(Lifecycle, APasswordProviderThatFailsThrowsOrHangsIsNamed) {
    std::stop_source over;
    const std::vector<std::pair<std::function<Result<std::string>()>, std::string>> providers{
        {[]() -> Result<std::string> { return Error(Phase::configure, Cause::refused, {"the vault is sealed", {}, {}, {}}); },
         "the vault is sealed"},
        {[]() -> Result<std::string> { throw std::runtime_error("no token left"); }, "no token left"},
        {[]() -> Result<std::string> { throw 5; }, "something unknown"},
        {[token = over.get_token()]() -> Result<std::string> {
             eventually([&] { return token.stop_requested(); }, 10s);
             return std::string("late");
         },
         "did not answer in time"},
    };
    for (const auto& [provider, text] : providers) {
        ClientOptions odd = options(1);
        odd.password = provider;
        odd.endpoint.pool.dial_time = 100ms;
        odd.breaker.mode = BreakerMode::disabled;
        odd.monitor.reset();
        Client client = open(std::move(odd));
        const auto rows = client.execute({.deadline = in(300ms)}, "SELECT 1");
        ASSERT_FALSE(rows);
        EXPECT_NE(rows.error().message().find(text), std::string::npos) << rows.error().message();
        const Stopwatch watch;
        client.close(0s);
        EXPECT_LT(watch.taken(), 1s);
    }
    over.request_stop();
}

}  // namespace
}  // namespace howdah::tests
