#include <dirent.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "scenario/client/complaints.hpp"

// Complaints about other libraries' pools, dialling and monitors (docs/internals/client-complaints.md has them all).
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

int threads_of_process() {
    int count = 0;
    DIR* const folder = ::opendir("/proc/self/task");
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count - 2;
}

// https://github.com/jackc/pgx/issues/2425
TEST_F(Complaints, ACancelledSessionKeepsItsPlaceUntilTheServerLetsGo) {
    Client client = open(4);
    ASSERT_TRUE(await_monitor(client));
    const long most = most_sessions_while([&] {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 16; ++caller) {
            callers.emplace_back([&] {
                for (int round = 0; round < 6; ++round) static_cast<void>(client.execute({.deadline = in(40ms)}, "SELECT pg_sleep(10)"));
            });
        }
    });
    EXPECT_LE(most, 4);
    EXPECT_GT(most, 0);
    EXPECT_EQ(shown(client.execute({.deadline = in(3s)}, "SELECT 1")), "1");
}

// https://github.com/jackc/pgx/issues/1259
TEST_F(Complaints, ADialOutlivesTheCallerWhoWaitedForIt) {
    const Impostor slow(Impostor::Manner::silent);
    ClientOptions there = options(20);
    there.endpoint.conninfo = slow.conninfo();
    there.monitor.reset();
    Client client = open(std::move(there));
    for (int round = 0; round < 10; ++round) {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 20; ++caller)
            callers.emplace_back([&] { EXPECT_FALSE(client.execute({.deadline = in(20ms)}, "SELECT 1")); });
    }
    EXPECT_LE(slow.taken(), 4) << "as many as are dialled at once";
}

// https://github.com/porsager/postgres/issues/1179
TEST_F(Complaints, FailedHandshakesAreNotRepeatedAtOnce) {
    const Impostor rude(Impostor::Manner::rude);
    ClientOptions there = options(25);
    there.endpoint.conninfo = rude.conninfo();
    there.monitor.reset();
    there.breaker.mode = BreakerMode::disabled;
    Client client = open(std::move(there));
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 25; ++caller)
        callers.emplace_back([&] { EXPECT_FALSE(client.execute({.deadline = in(1s)}, "SELECT 1")); });
    callers.clear();
    EXPECT_GE(rude.taken(), 2);
    EXPECT_LE(rude.taken(), 40) << "in a second, by 25 callers";
}

// https://github.com/MagicStack/asyncpg/issues/431 and https://github.com/MagicStack/asyncpg/issues/1356
TEST_F(Complaints, ReturningAndClosingNeverWaitForACancel) {
    ClientOptions brief = options(2);
    brief.endpoint.pool.cancel_time = 200ms;
    Client client = open(std::move(brief));
    ASSERT_TRUE(await_monitor(client));
    ASSERT_TRUE(client.execute("SELECT 1"));
    const Frozen frozen(processes(server_));
    Stopwatch watch;
    EXPECT_FALSE(client.execute({.deadline = in(100ms)}, "SELECT 1"));
    EXPECT_LT(watch.taken(), 600ms);
    watch = {};
    {
        auto lease = client.borrow({.deadline = in(100ms)});
        if (lease) {
            EXPECT_FALSE(lease->execute("SELECT 1"));
        }
    }
    EXPECT_LT(watch.taken(), 600ms);
    watch = {};
    client.close(100ms);
    EXPECT_LT(watch.taken(), 3s);
}

// https://github.com/transact-rs/sqlx/issues/2276
TEST_F(Complaints, EachCauseOfAMissingConnectionHasItsOwnMessage) {
    const auto refusal = [](Client& client) {
        const auto rows = client.execute({.deadline = in(60ms)}, "SELECT 1");
        EXPECT_FALSE(rows);
        return rows ? std::string() : rows.error().message();
    };
    ClientOptions small = options(1);
    small.endpoint.pool.max_waiters = 1;
    Client client = open(std::move(small));
    {
        const auto lease = client.borrow({.tag = "the nightly report"});
        ASSERT_TRUE(lease);
        const std::string busy = refusal(client);
        EXPECT_NE(busy.find("all are taken"), std::string::npos) << busy;
        EXPECT_NE(busy.find("the nightly report"), std::string::npos) << busy;
        std::jthread waiter([&] { static_cast<void>(client.execute({.deadline = in(400ms)}, "SELECT 1")); });
        EXPECT_TRUE(eventually([&] { return client.figures().pool.waiting == 1; }));
        const std::string full = refusal(client);
        EXPECT_NE(full.find("no room to wait"), std::string::npos) << full;
    }
    client.set_breaker_mode(BreakerMode::forced_open);
    EXPECT_NE(refusal(client).find("circuit breaker is open"), std::string::npos);
    client.set_breaker_mode(BreakerMode::automatic);
    client.close(0s);
    EXPECT_NE(refusal(client).find("being closed"), std::string::npos);

    ClientOptions nowhere = options(1);
    nowhere.endpoint.conninfo = "host=/nowhere port=5432 user=postgres";
    nowhere.breaker.mode = BreakerMode::disabled;
    Client lost = open(std::move(nowhere));
    const std::string dialling = refusal(lost);
    EXPECT_NE(dialling.find("dialling failed"), std::string::npos) << dialling;
    EXPECT_NE(dialling.find("No such file"), std::string::npos) << dialling;
}

// https://github.com/brettwooldridge/HikariCP/issues/1802 and https://github.com/eclipse-vertx/vertx-sql-client/issues/981
TEST_F(Complaints, ADemotedPrimaryIsNotHandedOutAgain) {
    postgres::ScratchServer& other = shared_server();
    ClientOptions both = options(3);
    both.endpoint.conninfo = "host=" + server_.socket_directory().string() + "," + other.socket_directory().string() +
                             " port=" + std::to_string(server_.port()) + "," + std::to_string(other.port()) +
                             " user=postgres dbname=postgres target_session_attrs=read-write application_name=" + name_;
    Client client = open(std::move(both));
    const std::string port = "SELECT setting::int FROM pg_settings WHERE name = 'port'";
    {
        const auto one = client.borrow();
        const auto two = client.borrow();
        const auto three = client.borrow();
        ASSERT_TRUE(one && two && three);
    }
    EXPECT_EQ(shown(client.execute(port)), std::to_string(server_.port()));
    Admin second(other.conninfo());
    for (Admin* admin : {&admin_, &second}) {
        admin->ask("DROP TABLE IF EXISTS demoted");
        admin->ask("CREATE TABLE demoted (id int)");
    }
    admin_.ask("ALTER SYSTEM SET default_transaction_read_only = on");
    admin_.ask("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] { return Admin(server_.conninfo()).ask("SHOW default_transaction_read_only") == "on"; }));
    for (int round = 0; round < 5; ++round) {
        const auto done =
            client.run([](Transaction& transaction) -> Result<Rows> { return transaction.execute("INSERT INTO demoted VALUES (1)"); });
        EXPECT_TRUE(done) << done.error().message();
    }
    EXPECT_EQ(shown(client.execute(port)), std::to_string(other.port()));
    EXPECT_EQ(second.number("SELECT count(*) FROM demoted"), 5);
    EXPECT_TRUE(eventually([&] { return sessions() == 0; })) << "sessions of the demoted server were kept";
    admin_.ask("ALTER SYSTEM RESET default_transaction_read_only");
    admin_.ask("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] { return Admin(server_.conninfo()).ask("SHOW default_transaction_read_only") == "off"; }));
    Admin(server_.conninfo()).ask("DROP TABLE demoted");
    second.ask("DROP TABLE demoted");
}

// https://github.com/npgsql/npgsql/issues/6483
TEST_F(Complaints, WhenTheOpenTimeIsOverCallsDoNotWaitOutADial) {
    ClientOptions quick = options(2);
    quick.endpoint.pool.dial_time = 10s;
    quick.breaker.open_least = 200ms;
    quick.breaker.open_most = 400ms;
    quick.breaker.dial_failures = 1;
    quick.monitor->patience = 300ms;
    Client client = open(std::move(quick));
    ASSERT_TRUE(await_monitor(client));
    ASSERT_TRUE(client.execute("SELECT 1"));
    const Frozen frozen(processes(server_));
    static_cast<void>(client.execute({.deadline = in(100ms)}, "SELECT 1"));
    ASSERT_TRUE(eventually([&] { return client.figures().breaker.opened >= 1; }, 10s));
    const Moment until = in(1500ms);
    Duration longest{};
    while (std::chrono::steady_clock::now() < until) {
        const Stopwatch watch;
        EXPECT_FALSE(client.execute({.deadline = in(8s)}, "SELECT 1"));
        longest = std::max(longest, watch.taken());
    }
    EXPECT_LT(longest, 2s);
}

// https://github.com/aws/aws-advanced-jdbc-wrapper/issues/2061, also 675 and 966
TEST_F(Complaints, TheMonitorSurvivesWhatItsCallbacksAndTheServerDo) {
    ClientOptions shaky = options(1);
    for (AlertRule& rule : shaky.monitor->rules) rule.hold = 0s;
    std::atomic<int> alerts{0};
    shaky.observer.on_alert = [&](std::string_view, const Alert&) {
        ++alerts;
        throw 5;
    };
    shaky.observer.on_breaker = [](std::string_view, const BreakerTransition&) { throw std::runtime_error("no"); };
    shaky.observer.on_retry = [](std::string_view, const RetryEvent&) { throw 1; };
    shaky.observer.on_span = [](std::string_view, const Span&) { throw 1; };
    Client client = open(std::move(shaky));
    ASSERT_TRUE(await_monitor(client));
    for (int round = 0; round < 3; ++round) {
        const std::uint64_t before = client.figures().ping_failures;
        admin_.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'howdah monitor'");
        EXPECT_TRUE(eventually([&] { return client.figures().ping_failures > before; }));
        const std::uint64_t pings = client.figures().pings;
        EXPECT_TRUE(eventually([&] { return client.figures().pings > pings; }));
    }
    EXPECT_TRUE(client.execute("SELECT 1"));
    EXPECT_GE(alerts, 2);
    EXPECT_GE(client.figures().callback_failures, 3U);
    EXPECT_LT(client.figures().heartbeat_age_seconds, 1.5);
}

// https://github.com/aws/aws-advanced-jdbc-wrapper/issues/1321
TEST_F(Complaints, NoThreadsAreLeft) {
    const int before = threads_of_process();
    {
        Client client = open(8);
        ASSERT_TRUE(await_monitor(client));
        for (int round = 0; round < 8; ++round) {
            static_cast<void>(client.execute({.deadline = in(10ms)}, "SELECT pg_sleep(5)"));
            admin_.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name IN ('howdah monitor', '" +
                       name_ + "')");
            static_cast<void>(client.execute({.deadline = in(500ms)}, "SELECT 1"));
            EXPECT_TRUE(eventually([&] { return threads_of_process() <= before + 1; })) << "more than the keeper";
        }
    }
    EXPECT_TRUE(eventually([&] { return threads_of_process() <= before; }));
}

// https://github.com/App-vNext/Polly/issues/216
TEST_F(Complaints, AHangingProbeLetsNobodyElseIn) {
    Client client = open(watchful(4));
    ASSERT_TRUE(client.execute("SELECT 1"));
    EXPECT_FALSE(client.execute(kFail));
    ASSERT_EQ(client.figures().breaker_state, BreakerState::open);
    ASSERT_TRUE(eventually([&] { return client.figures().breaker_state == BreakerState::half_open; }));
    const auto probe = client.borrow({.tag = "the probe"});
    ASSERT_TRUE(probe) << probe.error().message();
    std::atomic<int> passed{0};
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 20; ++caller) {
        callers.emplace_back([&] {
            if (client.execute({.deadline = in(200ms)}, "SELECT 1")) ++passed;
        });
    }
    callers.clear();
    EXPECT_EQ(passed, 0);
    EXPECT_EQ(client.figures().breaker.probes_held, 1U);
}

}  // namespace
}  // namespace howdah::tests
