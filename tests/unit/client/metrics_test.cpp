#include "howdah/metrics.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/metrics_page.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

/// Every figure is another number.
LabelledFigures some(const std::string& database, const std::string& endpoint) {
    LabelledFigures one{database, endpoint, "primary", {}};
    ClientFigures& f = one.figures;
    f.pool = {1, 2, 3, 4, 5, 6, 7, 8};
    f.pool_limit = 21;
    f.breaker_state = BreakerState::half_open;
    f.breaker = {31, 32, 33, 34, 35, 36, 0, 0, 0, 0, 0};
    f.failure_budget_left = 2500;
    f.contention_budget_left = 41000;
    f.retries = {0, 51, 52, 53, 54, 55, 56, 57, 0};
    f.retries_refused = 58;
    f.bulkhead_rejected = 59;
    f.bulkhead_inside = 60;
    f.not_served = {61, 62, 63, 64, 65, 66};
    f.dials = 71;
    f.dials_failed = 72;
    f.sessions_lost = 73;
    f.drained = 74;
    f.drains_failed = 75;
    f.resets = 76;
    f.resets_failed = 77;
    f.unknown_commits = 81;
    f.resolved_commits = 82;
    f.callback_failures = 83;
    f.keeper_troubles = 84;
    f.monitored = true;
    f.pings = 85;
    f.ping_failures = 86;
    f.last_ping_seconds = 0.00025;
    f.oldest_lease_seconds = 12.5;
    f.heartbeat_age_seconds = 0.5;
    f.wait.add(3us);
    f.wait.add(40s);
    f.call.add(1ms);
    f.alerts = {{"pool_wait", Severity::warning, 3, true}, {"ping_failed", Severity::critical, 0, false}};
    return one;
}

TEST(Metrics, APageOfSeveralClientsIsReadByAStrictReader) {
    const std::vector<LabelledFigures> clients{some("shop", "one"), some("shop", "two"), some("stock", "one")};
    const MetricsPage page(metrics_text(clients));
    EXPECT_EQ(page.complaints, std::vector<std::string>{});
    EXPECT_GT(page.groups.size(), 30U);
    for (const MetricGroup& group : page.groups) {
        std::set<std::string> whose;
        for (const MetricLine& line : group.lines) whose.insert(line.labels.at("database") + "/" + line.labels.at("endpoint"));
        EXPECT_EQ(whose, (std::set<std::string>{"shop/one", "shop/two", "stock/one"})) << group.name;
    }
}

TEST(Metrics, TheNamesThatDashboardsAlreadyKnow) {
    const std::vector<LabelledFigures> clients{some("shop", "one")};
    const MetricsPage page(metrics_text(clients));
    EXPECT_EQ(page.value("db_circuit_breaker_state", {{"database", "shop"}, {"endpoint", "one"}, {"role", "primary"}}), "2");
    EXPECT_EQ(page.value("db_connection_pool_size", {{"database", "shop"}, {"state", "open"}}), "18");
    EXPECT_EQ(page.value("db_connection_pool_size", {{"database", "shop"}, {"state", "idle"}}), "1");
    EXPECT_EQ(page.value("db_connection_pool_size", {{"database", "shop"}, {"state", "inuse"}}), "2");
    EXPECT_EQ(page.group("db_circuit_breaker_state")->type, "gauge");
}

TEST(Metrics, EachFigureStandsUnderItsOwnName) {
    const std::vector<LabelledFigures> clients{some("shop", "one")};
    const MetricsPage page(metrics_text(clients));
    const auto shows = [&](const std::string& name, const std::string& label, const std::string& value, const std::string& number) {
        EXPECT_EQ(
            page.value(name, label.empty() ? std::map<std::string, std::string>{} : std::map<std::string, std::string>{{label, value}}),
            number)
            << name << " " << value;
    };
    shows("db_circuit_breaker_window_calls", "", "", "31");
    shows("db_circuit_breaker_window_failures", "", "", "32");
    shows("db_circuit_breaker_window_slow", "", "", "33");
    shows("db_circuit_breaker_opened_total", "", "", "34");
    shows("db_circuit_breaker_rejected_total", "", "", "35");
    shows("db_circuit_breaker_would_have_rejected_total", "", "", "36");
    shows("db_connection_pool_places", "state", "closing", "6");
    shows("db_connection_pool_limit", "", "", "21");
    shows("db_connection_pool_waiting", "", "", "7");
    shows("db_connection_pool_misused_total", "", "", "8");
    shows("db_connection_pool_not_served_total", "reason", "all_busy", "61");
    shows("db_connection_pool_not_served_total", "reason", "forked", "66");
    shows("db_connection_dials_total", "result", "ok", "71");
    shows("db_connection_dials_total", "result", "failed", "72");
    shows("db_sessions_lost_total", "", "", "73");
    shows("db_session_drains_total", "result", "failed", "75");
    shows("db_session_resets_total", "result", "ok", "76");
    shows("db_retries_total", "reason", "contention", "51");
    shows("db_retries_total", "reason", "reconnect", "54");
    shows("db_retries_refused_total", "", "", "58");
    shows("db_retry_budget_left", "budget", "failure", "2.5");
    shows("db_retry_budget_left", "budget", "contention", "41");
    shows("db_bulkhead_rejected_total", "", "", "59");
    shows("db_oldest_lease_seconds", "", "", "12.5");
    shows("db_bulkhead_inside", "", "", "60");
    shows("db_commits_unknown_total", "", "", "81");
    shows("db_commits_resolved_total", "", "", "82");
    shows("db_callback_failures_total", "", "", "83");
    shows("db_monitor_troubles_total", "", "", "84");
    shows("db_monitor_pings_total", "result", "ok", "85");
    shows("db_monitor_ping_seconds", "", "", "0.00025");
    shows("db_monitor_heartbeat_age_seconds", "", "", "0.5");
    shows("db_alert_active", "rule", "pool_wait", "1");
    shows("db_alerts_raised_total", "rule", "pool_wait", "3");
    shows("db_alerts_raised_total", "rule", "ping_failed", "0");
}

TEST(Metrics, HistogramsCountUpwardsInSeconds) {
    const std::vector<LabelledFigures> clients{some("shop", "one")};
    const MetricsPage page(metrics_text(clients));
    const std::string name = "db_connection_pool_wait_seconds";
    EXPECT_EQ(page.group(name)->unit, "seconds");
    EXPECT_EQ(page.value(name + "_bucket", {{"le", "2e-06"}}), "0");
    EXPECT_EQ(page.value(name + "_bucket", {{"le", "4e-06"}}), "1");
    EXPECT_EQ(page.value(name + "_bucket", {{"le", "16.777216"}}), "1");
    EXPECT_EQ(page.value(name + "_bucket", {{"le", "+Inf"}}), "2");
    EXPECT_EQ(page.value(name + "_count", {}), "2");
    EXPECT_DOUBLE_EQ(std::stod(page.value(name + "_sum", {})), 40.000003);
}

TEST(Metrics, LabelsHoldWhatNamesHold) {
    const std::string odd = "a \"b\" \\ c\nd {e=\"f\"} g\xC3\xA4";
    const std::vector<LabelledFigures> clients{some(odd, "broken\xFF\xC0\x80 \xED\xA0\x80 end")};
    const MetricsPage page(metrics_text(clients));
    EXPECT_EQ(page.complaints, std::vector<std::string>{});
    EXPECT_EQ(page.value("db_circuit_breaker_state", {{"database", odd}, {"endpoint", "broken??? ??? end"}}), "2");
}

TEST(Metrics, WithoutClientsThePageIsItsEnd) { EXPECT_EQ(metrics_text({}), "# EOF\n"); }

TEST(Metrics, WithoutMonitorThereIsNothingOfIt) {
    std::vector<LabelledFigures> clients{some("shop", "one")};
    clients[0].figures.monitored = false;
    clients[0].figures.alerts.clear();
    const MetricsPage page(metrics_text(clients));
    EXPECT_EQ(page.complaints, std::vector<std::string>{});
    for (const char* gone : {"db_monitor_pings", "db_monitor_ping_seconds", "db_alert_active", "db_alerts_raised"})
        EXPECT_EQ(page.group(gone), nullptr) << gone;
}

TEST(Metrics, AnOwnRegistryGetsEveryValueOnce) {
    const std::vector<LabelledFigures> clients{some("shop", "one"), some("shop", "two")};
    std::size_t values = 0;
    std::set<std::string> seen;
    visit_metrics(clients, [&](const MetricFamily& family, const MetricSample& sample) {
        ASSERT_GE(sample.labels.size(), 3U);
        EXPECT_EQ(sample.labels[0].name, "database");
        EXPECT_EQ(sample.labels[0].value, "shop");
        EXPECT_EQ(sample.histogram != nullptr, family.type == MetricType::histogram);
        std::string key(family.name);
        for (const MetricLabel& label : sample.labels) key += "," + std::string(label.name) + "=" + std::string(label.value);
        seen.insert(key);
        ++values;
    });
    EXPECT_EQ(seen.size(), values);
    EXPECT_GT(values, 100U);
}

}  // namespace
}  // namespace howdah::tests
