#include <csignal>
#include <thread>

#include "scenario/client_watch/desk.hpp"

// Each rule of the defaults is raised and cleared by what really happens.
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Alerts : public WatchTest {
protected:
    Client watch(const AlertRule& rule, const std::function<void(ClientOptions&)>& change = [](ClientOptions&) {}) {
        ClientOptions chosen = options();
        chosen.monitor->rules = {rule};
        change(chosen);
        return open(std::move(chosen));
    }
};

TEST_F(Alerts, PingFailedWhileTheServerIsDown) {
    Client client = watch(rule("ping_failed", 1, 0));
    ASSERT_TRUE(eventually([&] { return client.figures().pings > 0; }));
    server().stop("immediate");
    EXPECT_TRUE(hears("ping_failed", true)) << heard_->all();
    EXPECT_TRUE(client.figures().alerts.at(0).active);
    server().start();
    EXPECT_TRUE(hears("ping_failed", false)) << heard_->all();
    const ClientFigures figures = client.figures();
    EXPECT_EQ(figures.alerts.at(0).rule, "ping_failed");
    EXPECT_EQ(figures.alerts.at(0).raised, 1U);
    EXPECT_FALSE(figures.alerts.at(0).active);
}

TEST_F(Alerts, PingLatency) {
    // Every ping is slower than nothing; and none is slower than a minute.
    Client client = watch(rule("ping_latency", 1e-9, 1e-10));
    EXPECT_TRUE(hears("ping_latency", true)) << heard_->all();
    AlertRule other = rule("ping_latency", 60, 30);
    Client calm = watch(other);
    ASSERT_TRUE(eventually([&] { return calm.figures().pings > 5; }));
    EXPECT_FALSE(calm.figures().alerts.at(0).active);
}

TEST_F(Alerts, PingLatencyIsClearedWhenTheServerAnswersFastAgain) {
    AlertRule slow = rule("ping_latency", 0.3, 0.299);
    slow.hold = 0s;
    Client client = watch(slow);
    ASSERT_TRUE(eventually([&] { return client.figures().pings > 0; }));
    const std::string pid =
        ask("SELECT pid::text FROM pg_stat_activity WHERE application_name = 'howdah monitor' ORDER BY backend_start DESC LIMIT 1");
    // A backend stopped for a while in the middle of two pings.
    for (int i = 0; i < 10 && heard_->raised("ping_latency") == 0; ++i) {
        ASSERT_EQ(::kill(std::stoi(pid), SIGSTOP), 0);
        std::this_thread::sleep_for(600ms);
        ASSERT_EQ(::kill(std::stoi(pid), SIGCONT), 0);
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_TRUE(hears("ping_latency", true)) << heard_->all();
    EXPECT_TRUE(hears("ping_latency", false)) << heard_->all();
}

TEST_F(Alerts, PoolWaitAndPoolExhausted) {
    ClientOptions chosen = options();
    chosen.monitor->rules = {rule("pool_wait", 0.03, 0.01), rule("pool_exhausted", 1, 0.9)};
    Client client = open(std::move(chosen));
    {
        auto one = client.borrow();
        auto two = client.borrow();
        ASSERT_TRUE(one && two);
        // Nobody is served meanwhile: those who wait in vain count too.
        EXPECT_TRUE(eventually([&] {
            static_cast<void>(client.execute(CallOptions{.deadline = std::chrono::steady_clock::now() + 60ms}, "SELECT 1"));
            return heard_->raised("pool_wait") > 0 && heard_->raised("pool_exhausted") > 0;
        })) << heard_->all();
    }
    EXPECT_TRUE(hears("pool_wait", false)) << heard_->all();
    EXPECT_TRUE(hears("pool_exhausted", false)) << heard_->all();
    EXPECT_GT(client.figures().not_served[static_cast<std::size_t>(BorrowFailure::all_busy)], 0U);
}

TEST_F(Alerts, ASmallPartOfABigPoolInUseIsNoExhaustion) {
    Client client = watch(rule("pool_exhausted", 0.9, 0.5), [](ClientOptions& o) { o.endpoint.pool.max_connections = 8; });
    auto lease = client.borrow();
    ASSERT_TRUE(lease);
    // The first dial may have taken a while, and whoever waits for it finds none free.
    ASSERT_TRUE(eventually([&] { return !client.figures().alerts.at(0).active; }));
    const unsigned at_first = heard_->raised("pool_exhausted");
    const std::uint64_t before = client.figures().pings;
    ASSERT_TRUE(eventually([&] { return client.figures().pings > before + 5; }));
    EXPECT_EQ(heard_->raised("pool_exhausted"), at_first) << heard_->all();
}

TEST_F(Alerts, IdleShareIsClearedWhenThePoolEmpties) {
    Client client = watch(rule("idle_share", 0.9, 0.8), [](ClientOptions& o) { o.endpoint.pool.idle_time = 300ms; });
    ASSERT_TRUE(client.execute("SELECT 1"));
    EXPECT_TRUE(hears("idle_share", true)) << heard_->all();
    EXPECT_TRUE(hears("idle_share", false)) << heard_->all();
    EXPECT_TRUE(eventually([&] { return client.figures().pool.open() == 0; }));
}

TEST_F(Alerts, ServerConnections) {
    ClientOptions chosen = options();
    chosen.endpoint.pool.max_connections = 10;
    chosen.endpoint.pool.idle_time = 300ms;
    chosen.monitor->rules = {rule("server_connections", 0.4, 0.35), rule("server_connections_full", 0.5, 0.45)};
    Client client = open(std::move(chosen));
    {
        std::vector<Lease> leases;
        for (int i = 0; i < 10; ++i) {
            auto lease = client.borrow();
            ASSERT_TRUE(lease) << lease.error().message();
            leases.push_back(std::move(*lease));
        }
        EXPECT_TRUE(hears("server_connections", true)) << heard_->all();
        EXPECT_TRUE(hears("server_connections_full", true)) << heard_->all();
    }
    EXPECT_TRUE(hears("server_connections", false)) << heard_->all();
    EXPECT_TRUE(hears("server_connections_full", false)) << heard_->all();
}

TEST_F(Alerts, LongTransaction) {
    Client client = watch(rule("long_transaction", 0.2, 0.1));
    const auto done = client.run([&](Transaction& transaction) -> Result<int> {
        if (auto rows = transaction.execute("SELECT 1"); !rows) return rows.error();
        EXPECT_TRUE(hears("long_transaction", true)) << heard_->all();
        return 1;
    });
    EXPECT_TRUE(done);
    EXPECT_TRUE(hears("long_transaction", false)) << heard_->all();
}

TEST_F(Alerts, LeaseHeld) {
    Client client = watch(rule("lease_held", 0.2, 0.1));
    {
        auto lease = client.borrow({.tag = "forgotten"});
        ASSERT_TRUE(lease);
        EXPECT_TRUE(hears("lease_held", true)) << heard_->all();
        EXPECT_EQ(client.figures().oldest_lease_tag, "forgotten");
    }
    EXPECT_TRUE(hears("lease_held", false)) << heard_->all();
}

TEST_F(Alerts, BreakerOpenAndPoolWhileTheServerIsDown) {
    ClientOptions chosen = options();
    chosen.endpoint.pool.dial_time = 1s;
    chosen.breaker.dial_failures = 1;
    chosen.monitor->rules = {rule("breaker_open", 1, 0), rule("pool_exhausted", 1, 0.9)};
    Client client = open(std::move(chosen));
    ASSERT_TRUE(eventually([&] { return client.figures().pings > 0; }));
    server().stop("immediate");
    // A half-open breaker is not open: calls go on as a service's would.
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(client.execute(CallOptions{.deadline = std::chrono::steady_clock::now() + 200ms}, "SELECT 1"));
        return heard_->raised("breaker_open") > 0;
    })) << heard_->all();
    server().start();
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(client.execute("SELECT 1"));
        return heard_->cleared("breaker_open") > 0;
    })) << heard_->all();
    EXPECT_EQ(heard_->raised("pool_exhausted"), heard_->cleared("pool_exhausted")) << heard_->all();
}

TEST_F(Alerts, ARoleWithoutRightsFeedsTheConnections) {
    ask("DROP ROLE IF EXISTS plain");
    ask("CREATE ROLE plain LOGIN");
    ClientOptions chosen = options();
    chosen.endpoint.conninfo += " user=plain";
    chosen.monitor->rules = {rule("server_connections", 0.01, 0.001)};
    {
        Client client = open(std::move(chosen));
        EXPECT_TRUE(hears("server_connections", true)) << heard_->all();
    }
    ask("DROP ROLE plain");
}

}  // namespace
}  // namespace howdah::tests
