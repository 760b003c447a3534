#include "scenario/client_watch/desk.hpp"
#include "support/metrics_page.hpp"

// The metrics of a client that works.
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Figures : public WatchTest {};

TEST_F(Figures, APageTellsWhatHappened) {
    ClientOptions chosen = options();
    chosen.name = "desk";
    Client client = open(std::move(chosen));
    ASSERT_TRUE(eventually([&] { return client.figures().pings > 0; }));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.execute("SELECT 1"));
    ASSERT_TRUE(client.execute("SET work_mem = '5MB'"));
    ASSERT_TRUE(eventually([&] { return client.figures().resets == 1; }));
    {
        auto one = client.borrow();
        auto two = client.borrow();
        ASSERT_TRUE(one && two);
        EXPECT_FALSE(client.execute(CallOptions{.deadline = std::chrono::steady_clock::now() + 20ms}, "SELECT 1"));
        const MetricsPage page(client.metrics());
        EXPECT_EQ(page.complaints, std::vector<std::string>{});
        EXPECT_EQ(page.value("db_connection_pool_size", {{"database", "postgres"}, {"endpoint", "desk"}, {"state", "inuse"}}), "2");
    }
    const auto late = client.execute(CallOptions{.deadline = std::chrono::steady_clock::now() + 50ms}, "SELECT pg_sleep(10)");
    EXPECT_FALSE(late);
    ASSERT_TRUE(eventually([&] { return client.figures().drained == 1 && client.figures().resets == 2; }));
    const MetricsPage page(client.metrics());
    EXPECT_EQ(page.complaints, std::vector<std::string>{});
    EXPECT_EQ(page.value("db_circuit_breaker_state", {{"role", "primary"}}), "0");
    EXPECT_EQ(page.value("db_connection_pool_limit", {}), "2");
    EXPECT_EQ(page.value("db_connection_dials_total", {{"result", "ok"}}), "2");
    EXPECT_EQ(page.value("db_connection_pool_not_served_total", {{"reason", "all_busy"}}), "1");
    EXPECT_EQ(page.value("db_session_drains_total", {{"result", "ok"}}), "1");
    EXPECT_EQ(page.value("db_session_resets_total", {{"result", "ok"}}), "2");
    EXPECT_EQ(page.value("db_call_seconds_count", {}), "7");
    EXPECT_NE(page.value("db_monitor_ping_seconds", {}), "");
    EXPECT_EQ(page.value("db_alert_active", {{"rule", "breaker_open"}}), "0");
    EXPECT_LT(std::stod(page.value("db_monitor_heartbeat_age_seconds", {})), 60);
}

TEST_F(Figures, TheHeartbeatNeedsNoMonitor) {
    ClientOptions chosen = options();
    chosen.monitor.reset();
    Client client = open(std::move(chosen));
    EXPECT_LT(client.figures().heartbeat_age_seconds, 60);
    EXPECT_FALSE(client.figures().monitored);
    EXPECT_TRUE(client.figures().alerts.empty());
    EXPECT_EQ(MetricsPage(client.metrics()).complaints, std::vector<std::string>{});
}

}  // namespace
}  // namespace howdah::tests
