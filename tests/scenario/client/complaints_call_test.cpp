#include <atomic>
#include <random>
#include <stdexcept>
#include <thread>

#include "scenario/client/complaints.hpp"

// Complaints about what other libraries do with a call (docs/internals/client-complaints.md has them all).
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

// https://github.com/porsager/postgres/issues/1155
TEST_F(Complaints, AStatementAfterABrokenLinkDoesNotRunOutsideItsTransaction) {
    const std::string name = table("id int");
    Client client = open(4);
    ASSERT_TRUE(client.execute("SELECT 1"));
    unsigned tries = 0;
    const auto done = client.run([&](Transaction& transaction) -> Result<int> {
        tries = transaction.tries();
        EXPECT_TRUE(transaction.execute("INSERT INTO " + name + " VALUES (1)"));
        if (tries == 1) {
            terminate_sessions();
            EXPECT_FALSE(transaction.execute("INSERT INTO " + name + " VALUES (2)"));
        }
        // A body that goes on although it failed.
        const auto third = transaction.execute("INSERT INTO " + name + " VALUES (3)");
        EXPECT_EQ(third.has_value(), tries > 1);
        return 0;
    });
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(tries, 2U);
    EXPECT_EQ(admin_.ask("SELECT string_agg(id::text, ',' ORDER BY id) FROM " + name), "1,3");
}

// https://github.com/yandex/odyssey/issues/514
TEST_F(Complaints, TwoErrorsAndAnEndOfTheLinkDoNotKeepThePipelineGoing) {
    const std::string name = table("id int");
    Client client = open(1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    const Stopwatch watch;
    // BEGIN, the time limit and the statement go in one pipeline; the statement fails while the server ends the session.
    const auto done = client.run({.deadline = in(2s), .tries = 1}, [&](Transaction& transaction) -> Result<Rows> {
        return transaction.execute("SELECT pg_terminate_backend(pg_backend_pid()), 1/(count(*) - 1) FROM pg_sleep(0.01)");
    });
    EXPECT_FALSE(done);
    const auto body = client.run({.tries = 1}, [&](Transaction& transaction) -> Result<Rows> {
        static_cast<void>(transaction.execute("SELECT 1/0"));
        terminate_sessions();
        return transaction.execute("SELECT 1/0");
    });
    EXPECT_FALSE(body);
    EXPECT_LT(watch.taken(), 2s);
    EXPECT_EQ(shown(client.execute({.deadline = in(2s)}, "SELECT 1")), "1");
}

// https://github.com/psycopg/psycopg/issues/685
TEST_F(Complaints, FullBuffersOnBothSidesDoNotBlockEachOther) {
    Client client = open(1);
    const std::string large(8'000'000, 'x');
    const auto done = client.run({.deadline = in(20s)}, [&](Transaction& transaction) -> Result<Rows> {
        return transaction.execute("SELECT $1::text || repeat('y', 8000000)", large);
    });
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->one<std::string_view>()->size(), 16'000'000U);
}

// https://github.com/dotnet/efcore/issues/22904
TEST_F(Complaints, ACommitWhoseAnswerWasLostIsNotRepeatedBlindly) {
    const std::string name = table("id int");
    ClientOptions alone = options(1);
    alone.monitor.reset();
    alone.endpoint.borrow_time = 300ms;
    Client client = open(std::move(alone));
    ASSERT_TRUE(client.execute("SELECT 1"));
    // A commit that took place, and a link that ends while its answer is awaited: the server waits for a standby that is not there.
    admin_.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    admin_.ask("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] { return Admin(server_.conninfo()).ask("SHOW synchronous_standby_names") == "nobody"; }));
    // It is the checkpointer that makes commits wait, and it looks at its settings before it begins one.
    admin_.ask("CHECKPOINT");
    std::jthread killer([&] {
        eventually([&] { return admin_.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == 1; });
        terminate_sessions();
    });
    int runs = 0;
    const auto done = client.run([&](Transaction& transaction) -> Result<Rows> {
        ++runs;
        return transaction.execute("INSERT INTO " + name + " VALUES (1)");
    });
    killer.join();
    admin_.ask("ALTER SYSTEM RESET synchronous_standby_names");
    admin_.ask("SELECT pg_reload_conf()");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().outcome(), Outcome::unknown) << done.error().message();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), 1);
}

// https://github.com/resilience4j/resilience4j/issues/935 and https://github.com/resilience4j/resilience4j/issues/903
TEST_F(Complaints, PermitsComeBackHoweverTheProbeEnds) {
    Client client = open(watchful(2));
    ASSERT_TRUE(client.execute("SELECT 1"));
    const auto half_open = [&] {
        client.reset_breaker();
        EXPECT_FALSE(client.execute(kFail));
        EXPECT_EQ(client.figures().breaker_state, BreakerState::open);
        EXPECT_TRUE(eventually([&] { return client.figures().breaker_state == BreakerState::half_open; }));
    };
    const std::vector<std::function<void()>> ends{
        [&] {
            EXPECT_THROW(static_cast<void>(client.run([](Transaction&) -> Result<int> { throw std::runtime_error("mine"); })),
                         std::runtime_error);
        },
        [&] { EXPECT_FALSE(client.execute({.deadline = in(5ms)}, "SELECT pg_sleep(1)")); },
        [&] { static_cast<void>(client.borrow()); },
        [&] { EXPECT_FALSE(client.execute("SELECT 1/0")); },
        [&] {
            std::stop_source stop;
            stop.request_stop();
            EXPECT_FALSE(client.execute({.stop = stop.get_token()}, "SELECT 1"));
        },
        [&] { EXPECT_FALSE(client.execute("COPY pg_class TO STDOUT")); },
    };
    for (std::size_t end = 0; end < ends.size(); ++end) {
        SCOPED_TRACE(end);
        half_open();
        ends[end]();
        const auto breaker = client.figures().breaker;
        EXPECT_EQ(breaker.probes_held, 0U);
        EXPECT_EQ(breaker.probes_issued, breaker.probes_returned + breaker.probes_written_off);
        EXPECT_TRUE(eventually([&] {
            static_cast<void>(client.execute({.deadline = in(200ms)}, "SELECT 1"));
            return client.figures().breaker_state == BreakerState::closed;
        }));
    }
}

// https://github.com/sony/gobreaker/issues/119
TEST_F(Complaints, ACallbackMayCallTheClient) {
    ClientOptions talking = watchful(2);
    Client* client = nullptr;
    std::atomic<int> transitions{0};
    std::atomic<bool> worked{false};
    talking.observer.on_breaker = [&](std::string_view, const BreakerTransition& transition) {
        ++transitions;
        static_cast<void>(client->figures());
        if (transition.to == BreakerState::open) client->set_breaker_mode(BreakerMode::observe);
        if (transition.to == BreakerState::observe) worked = client->execute({.deadline = in(2s)}, "SELECT 1").has_value();
    };
    Client opened = open(std::move(talking));
    client = &opened;
    ASSERT_TRUE(opened.execute("SELECT 1"));
    const Stopwatch watch;
    EXPECT_FALSE(opened.execute(kFail));
    EXPECT_LT(watch.taken(), 2s);
    EXPECT_EQ(transitions, 2);
    EXPECT_TRUE(worked);
}

// https://github.com/sony/gobreaker/issues/91
TEST_F(Complaints, CallsThatHangCountBeforeTheyReturn) {
    ClientOptions slow = watchful(8);
    slow.breaker.slow_after = 100ms;
    slow.breaker.minimum_calls = 6;
    Client client = open(std::move(slow));
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 8; ++caller)
        callers.emplace_back([&] { static_cast<void>(client.execute({.deadline = in(1500ms)}, "SELECT pg_sleep(10)")); });
    EXPECT_TRUE(eventually([&] { return client.figures().breaker.opened > 0; }, 1400ms)) << "before any of them came back";
    EXPECT_GT(client.figures().breaker.opened, 0U);
}

// https://github.com/google/sqlcommenter/issues/284 and https://github.com/pgjdbc/pgjdbc/issues/2833
TEST_F(Complaints, TagsMakeNoNewStatements) {
    Client client = open(1);
    static const Statement kOne{"SELECT 1"};
    for (int trace = 0; trace < 300; ++trace) {
        const std::string tag = "trace " + std::to_string(trace);
        EXPECT_TRUE(client.execute({.tag = tag}, kOne));
        EXPECT_TRUE(client.run({.tag = tag, .resolve = false}, [](Transaction& transaction) { return transaction.execute(kOne); }));
    }
    EXPECT_EQ(shown(client.execute("SELECT count(*) FROM pg_prepared_statements")), "1");
}

// https://github.com/pgbouncer/pgbouncer/issues/717, https://github.com/ged/ruby-pg/issues/430 and
// https://github.com/pgdogdev/pgdog/issues/1505
TEST_F(Complaints, ALateCancelHitsNobodyElse) {
    const int rounds = std::getenv("HOWDAH_TEST_CANCELS") != nullptr ? std::atoi(std::getenv("HOWDAH_TEST_CANCELS")) : 160;
    for (const bool monitored : {true, false}) {
        ClientOptions few = options(3);
        if (!monitored) few.monitor.reset();
        Client client = open(std::move(few));
        if (monitored) {
            ASSERT_TRUE(await_monitor(client));
        }
        std::atomic<int> late{0};
        std::atomic<int> stray{0};
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 4; ++caller) {
            callers.emplace_back([&, caller] {
                std::mt19937 random(static_cast<unsigned>(caller));
                for (int round = 0; round < rounds / 4; ++round) {
                    // The deadline comes about when the answer does.
                    const auto length = std::chrono::microseconds(2000 + random() % 1500);
                    if (!client.execute({.deadline = in(length)}, "SELECT pg_sleep(0.0015)")) ++late;
                    const auto innocent = client.execute("SELECT 1");
                    if (!innocent && innocent.error().sqlstate() == "57014") ++stray;
                }
            });
        }
        callers.clear();
        EXPECT_GT(late, 0);
        EXPECT_EQ(stray, 0);
    }
}

// https://github.com/EnterpriseDB/barman/issues/686 and https://github.com/ged/ruby-pg/issues/702
TEST_F(Complaints, AForkedTlsSessionIsLeftAlone) {
    const auto key = server_.workspace() / "server.key";
    const auto certificate = server_.workspace() / "server.crt";
    ASSERT_EQ(
        std::system(("openssl req -new -x509 -days 2 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost -out " +
                     certificate.string() + " -keyout " + key.string() + " 2>/dev/null && chmod 600 " + key.string() + " && chown " +
                     std::to_string(server_.user().uid) + " " + key.string() + " " + certificate.string())
                        .c_str()),
        0);
    admin_.ask("ALTER SYSTEM SET ssl_cert_file = '" + certificate.string() + "'");
    admin_.ask("ALTER SYSTEM SET ssl_key_file = '" + key.string() + "'");
    admin_.ask("ALTER SYSTEM SET ssl = on");
    admin_.ask("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] { return Admin(server_.conninfo()).ask("SHOW ssl") == "on"; }));
    ClientOptions secure = options(2);
    secure.endpoint.conninfo = server_.tcp_conninfo() + " sslmode=require application_name=" + name_;
    Client client = open(std::move(secure));
    auto lease = client.borrow({.deadline = in(5s)});
    ASSERT_TRUE(lease) << lease.error().message();
    ASSERT_EQ(shown(lease->execute("SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")), "1");
    ASSERT_TRUE(client.execute("SELECT 1"));
    EXPECT_EQ(in_a_child([&] { return refused_as_forked(client, *lease); }), 0);
    for (int number = 0; number < 5; ++number) {
        EXPECT_EQ(shown(lease->execute("SELECT $1::int", number)), std::to_string(number));
        EXPECT_EQ(shown(client.execute("SELECT $1::int", number)), std::to_string(number));
    }
    admin_.ask("ALTER SYSTEM RESET ssl");
    admin_.ask("SELECT pg_reload_conf()");
}

}  // namespace
}  // namespace howdah::tests
