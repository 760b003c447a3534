#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "scenario/client/ground.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

/// Breaker, monitor and observers against a server that comes and goes.
class Health : public VictimTest {
protected:
    ClientOptions quick(std::uint32_t connections) const {
        ClientOptions quick = options(connections);
        quick.breaker.open_least = 100ms;
        quick.breaker.open_most = 300ms;
        quick.monitor->patience = 300ms;
        return quick;
    }
};

TEST_F(Health, TheBreakerOpensOnAStoppedServerAndClosesAfterItsReturn) {
    std::mutex mutex;
    std::vector<BreakerTransition> seen;
    ClientOptions told = quick(2);
    told.observer.on_breaker = [&](std::string_view endpoint, const BreakerTransition& transition) {
        const std::scoped_lock lock(mutex);
        EXPECT_EQ(endpoint, "postgres");
        seen.push_back(transition);
    };
    Client client = open(std::move(told));
    ASSERT_TRUE(await_monitor(client));
    ASSERT_TRUE(client.execute("SELECT 1"));
    {
        postgres::ScratchServer& server = victim_server();
        server.stop("immediate");
        static_cast<void>(client.execute({.deadline = in(100ms)}, "SELECT 1"));
        EXPECT_TRUE(eventually([&] { return client.figures().breaker.opened > 0; }));
        EXPECT_TRUE(eventually([&] { return client.figures().breaker_state == BreakerState::open; }));
        const Stopwatch watch;
        const auto rejected = client.execute({.deadline = in(2s)}, "SELECT 1");
        EXPECT_FALSE(rejected);
        EXPECT_LT(watch.taken(), 1s);
        server.start();
    }
    EXPECT_TRUE(eventually([&] { return client.execute({.deadline = in(500ms)}, "SELECT 1").has_value(); }));
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(client.execute({.deadline = in(500ms)}, "SELECT 1"));
        return client.figures().breaker_state == BreakerState::closed;
    }));
    const std::scoped_lock lock(mutex);
    ASSERT_GE(seen.size(), 3U);
    EXPECT_EQ(seen.front().from, BreakerState::closed);
    EXPECT_EQ(seen.front().to, BreakerState::open);
    EXPECT_EQ(seen.front().reason, BreakerReason::dial_failures);
    EXPECT_EQ(seen.back().to, BreakerState::closed);
    EXPECT_EQ(seen.back().reason, BreakerReason::recovered);
}

TEST_F(Health, ALongOutageIsOverWhenTheServerIsBack) {
    ClientOptions patient = options(2);
    patient.breaker.open_least = 5s;
    patient.breaker.open_most = 60s;
    patient.breaker.guard_minimum = 10;
    Client client = open(std::move(patient));
    ASSERT_TRUE(await_monitor(client));
    ASSERT_TRUE(client.execute("SELECT 1"));
    victim_server().stop("immediate");
    const auto tries = [&] { return client.execute({.deadline = in(50ms)}, "SELECT 1").has_value(); };
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(tries());
        return client.figures().breaker_state == BreakerState::open;
    }));
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(tries());
    EXPECT_EQ(client.figures().breaker_state, BreakerState::open) << "it is the server that fails its callers, not the breaker";
    EXPECT_TRUE(eventually([&] { return client.figures().ping_failures >= 1; }));
    victim_server().start();
    const Stopwatch watch;
    EXPECT_TRUE(eventually(tries));
    // The monitor dials at least once a second.
    EXPECT_LT(watch.taken(), 3s);
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(tries());
        return client.figures().breaker_state == BreakerState::closed;
    }));
}

TEST_F(Health, AnOpenBreakerSaysWhy) {
    ClientOptions wrong = options(1);
    wrong.endpoint.conninfo = "host=/nowhere port=5432 user=postgres dbname=postgres";
    Client client = open(std::move(wrong));
    std::string said;
    EXPECT_TRUE(eventually([&] {
        const auto rows = client.execute({.deadline = in(300ms)}, "SELECT 1");
        said = rows ? "a row" : rows.error().message();
        return said.find("breaker is open") != std::string::npos;
    }));
    EXPECT_NE(said.find("no session can be had"), std::string::npos) << said;
    EXPECT_NE(said.find("seen last: No such file"), std::string::npos) << said;
    client.set_breaker_mode(BreakerMode::forced_open);
    const auto rows = client.execute("SELECT 1");
    ASSERT_FALSE(rows);
    EXPECT_NE(rows.error().message().find("its mode is forced_open"), std::string::npos) << rows.error().message();
}

TEST_F(Health, InObserveTheCallsThatWaitInVainAreCounted) {
    ClientOptions nowhere = options(1);
    nowhere.endpoint.conninfo = "host=/nowhere port=5432 user=postgres dbname=postgres";
    nowhere.breaker.mode = BreakerMode::observe;
    Client client = open(std::move(nowhere));
    EXPECT_TRUE(eventually([&] {
        const auto rows = client.execute({.deadline = in(50ms)}, "SELECT 1");
        EXPECT_FALSE(rows);
        if (!rows) {
            EXPECT_EQ(rows.error().cause(), Cause::timed_out) << rows.error().message();
        }
        return client.figures().breaker.would_have_rejected > 0;
    }));
    EXPECT_EQ(client.figures().breaker.rejected, 0U);
}

TEST_F(Health, WithoutTheRuleOfDialsCallsWaitForTheirDeadline) {
    ClientOptions patient = options(1);
    patient.breaker.dial_failures = 0;
    Client client = open(std::move(patient));
    ASSERT_TRUE(client.execute("SELECT 1"));
    victim_server().stop("immediate");
    for (int i = 0; i < 5; ++i) {
        const Stopwatch watch;
        EXPECT_FALSE(client.execute({.deadline = in(200ms)}, "SELECT 1"));
        if (i > 0) {
            EXPECT_GE(watch.taken(), 200ms);
        }
    }
    victim_server().start();
    EXPECT_TRUE(eventually([&] { return client.execute({.deadline = in(2s)}, "SELECT 1").has_value(); }));
}

TEST_F(Health, AFrozenServerDelaysNobodyPastHisDeadline) {
    Client client = open(quick(4));
    ASSERT_TRUE(await_monitor(client));
    ASSERT_TRUE(client.execute("SELECT 1"));
    const Frozen frozen(processes(server_));
    std::atomic<long> longest{0};
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 20; ++caller) {
        callers.emplace_back([&] {
            for (int round = 0; round < 4; ++round) {
                const Stopwatch watch;
                EXPECT_FALSE(client.execute({.deadline = in(100ms)}, "SELECT 1"));
                longest = std::max<long>(longest, watch.taken() / 1ms);
            }
        });
    }
    callers.clear();
    EXPECT_LT(longest, 400);
}

TEST_F(Health, FiftyThreadsSurviveARestart) {
    const std::string name = table("caller int, number int");
    Client client = open(quick(8));
    ASSERT_TRUE(await_monitor(client));
    std::atomic<bool> over{false};
    std::atomic<int> stuck{0};
    std::atomic<long> done{0};
    std::mutex mutex;
    std::set<std::pair<int, int>> certain, unsure;
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 50; ++caller) {
        callers.emplace_back([&, caller] {
            for (int number = 0; !over; ++number) {
                const Stopwatch watch;
                const auto rows = client.run({.deadline = in(400ms)}, [&](Transaction& transaction) -> Result<Rows> {
                    return transaction.execute("INSERT INTO " + name + " VALUES ($1, $2)", caller, number);
                });
                if (watch.taken() > 1400ms) ++stuck;
                if (rows) ++done;
                const std::scoped_lock lock(mutex);
                if (rows) certain.emplace(caller, number);
                if (!rows && rows.error().outcome() == Outcome::unknown) unsure.emplace(caller, number);
                if (!rows && rows.error().outcome() == Outcome::succeeded) certain.emplace(caller, number);
            }
        });
    }
    EXPECT_TRUE(eventually([&] { return done > 100; }));
    victim_server().restart();
    const long before = done;
    EXPECT_TRUE(eventually([&] { return done > before + 200; }, 10s));
    over = true;
    callers.clear();
    EXPECT_EQ(stuck, 0);
    Admin again(server_.conninfo());
    const auto rows = client.execute({.deadline = in(5s)}, "SELECT caller, number, count(*) FROM " + name + " GROUP BY 1, 2");
    ASSERT_TRUE(rows) << rows.error().message();
    std::size_t found = 0;
    for (const Row row : *rows) {
        const std::pair<int, int> key{row.get<int>(0).value(), row.get<int>(1).value()};
        EXPECT_EQ(row.get<long>(2).value(), 1);
        found += certain.contains(key) ? 1 : 0;
        EXPECT_TRUE(certain.contains(key) || unsure.contains(key)) << "a failed one is there: " << key.first << ", " << key.second;
    }
    EXPECT_EQ(found, certain.size()) << "a certain one is not there";
    again.ask("DROP TABLE " + name);
    tables_.clear();
}

TEST_F(Health, TheMonitorAlertsAndClears) {
    std::mutex mutex;
    std::map<std::string, int> raised, cleared;
    std::string message;
    ClientOptions told = quick(1);
    for (AlertRule& rule : told.monitor->rules) rule.hold = 0s;
    told.observer.on_alert = [&](std::string_view, const Alert& alert) {
        const std::scoped_lock lock(mutex);
        ++(alert.raised ? raised : cleared)[std::string(alert.rule)];
        if (alert.rule == "ping_failed" && alert.raised) {
            EXPECT_EQ(alert.severity, Severity::critical);
            message = alert.message;
        }
    };
    Client client = open(std::move(told));
    ASSERT_TRUE(await_monitor(client));
    {
        const Frozen frozen(processes(server_));
        EXPECT_TRUE(eventually([&] {
            const std::scoped_lock lock(mutex);
            return raised["ping_failed"] > 0;
        }));
    }
    EXPECT_TRUE(eventually([&] {
        const std::scoped_lock lock(mutex);
        return cleared["ping_failed"] > 0;
    }));
    EXPECT_NE(message.find("does not answer the monitor"), std::string::npos) << message;
}

TEST_F(Health, PoolAndTransactionsThatTakeLongRaiseAlerts) {
    std::mutex mutex;
    std::set<std::string> raised;
    ClientOptions told = quick(1);
    told.monitor->figures_every = 50ms;
    for (AlertRule& rule : told.monitor->rules) {
        rule.hold = 0s;
        if (rule.name == "long_transaction") rule = {rule.name, 0.1, 0.05, 0s, rule.severity, rule.message, rule.unit};
    }
    told.observer.on_alert = [&](std::string_view, const Alert& alert) {
        const std::scoped_lock lock(mutex);
        if (alert.raised) raised.insert(std::string(alert.rule));
    };
    Client client = open(std::move(told));
    const auto done = client.run([&](Transaction& transaction) -> Result<Rows> {
        auto rows = transaction.execute("SELECT 1");
        EXPECT_TRUE(eventually([&] {
            const std::scoped_lock lock(mutex);
            return raised.contains("pool_exhausted") && raised.contains("long_transaction");
        }));
        return rows;
    });
    EXPECT_TRUE(done);
}

TEST_F(Health, ACallbackOnTheClientsOwnThreadMayCallButNotWait) {
    std::atomic<Client*> client{nullptr};
    std::atomic<int> failed{0};
    std::atomic<int> slow{0};
    std::mutex mutex;
    std::string message;
    ClientOptions told = quick(1);
    for (AlertRule& rule : told.monitor->rules) rule.hold = 0s;
    told.observer.on_alert = [&](std::string_view, const Alert&) {
        if (client == nullptr) return;
        const Stopwatch watch;
        static_cast<void>((*client).figures());
        const auto rows = (*client).execute({.deadline = in(3s)}, "SELECT 1");
        if (!rows) {
            ++failed;
            const std::scoped_lock lock(mutex);
            message = rows.error().message();
        }
        if (watch.taken() > 1s) ++slow;
    };
    Client opened = open(std::move(told));
    client = &opened;
    ASSERT_TRUE(await_monitor(opened));
    admin_.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'howdah monitor'");
    EXPECT_TRUE(eventually([&] { return failed > 0; }));
    EXPECT_EQ(slow, 0);
    {
        const std::scoped_lock lock(mutex);
        EXPECT_NE(message.find("own thread"), std::string::npos) << message;
    }
    EXPECT_TRUE(opened.execute("SELECT 1"));
    client = nullptr;
}

TEST_F(Health, SpansTellEachCall) {
    std::mutex mutex;
    std::vector<std::pair<std::string, bool>> spans;
    ClientOptions told = quick(1);
    told.observer.on_span = [&](std::string_view, const Span& span) {
        const std::scoped_lock lock(mutex);
        EXPECT_LE(span.begun, span.ended);
        spans.emplace_back(span.tag, span.error == nullptr);
    };
    Client client = open(std::move(told));
    EXPECT_TRUE(client.execute({.tag = "one"}, "SELECT 1"));
    EXPECT_FALSE(client.execute({.tag = "two"}, "SELECT 1/0"));
    EXPECT_TRUE(client.run({.tag = "three"}, [](Transaction& transaction) { return transaction.execute("SELECT 1"); }));
    EXPECT_EQ(spans, (std::vector<std::pair<std::string, bool>>{{"one", true}, {"two", false}, {"three", true}}));
}

TEST_F(Health, AServerOfTheOtherRoleIsNoLoginGivenUp) {
    ClientOptions options = this->options(1);
    options.endpoint.conninfo += " target_session_attrs=standby";
    Client client = open(std::move(options));
    // The backoff ends at one second, so this takes 2.5 s at most; after logins that are given up the monitor would pause for five.
    EXPECT_TRUE(eventually([&] { return client.figures().ping_failures >= 6; }, 4s)) << client.figures().ping_failures;
}

}  // namespace
}  // namespace howdah::tests
