#include "client/policy/thresholds.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>

namespace howdah {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Moment kStart{hours(1000)};
constexpr AlertRule kPing{"ping_latency", 0.1, 0.05, seconds(10), Severity::warning, "the server answers pings slowly", " s"};
constexpr AlertRule kFree{"slots_left", 5, 10, seconds(0), Severity::critical, "few slots are left", {}};

TEST(Thresholds, RaisesAfterTheHoldTimeAndOnce) {
    Thresholds thresholds({&kPing, 1});
    EXPECT_FALSE(thresholds.observe(kStart, 0, 0.2));
    EXPECT_FALSE(thresholds.observe(kStart + seconds(9), 0, 0.2));
    const auto alert = thresholds.observe(kStart + seconds(10), 0, 0.31);
    ASSERT_TRUE(alert);
    EXPECT_TRUE(alert->raised);
    EXPECT_EQ(alert->severity, Severity::warning);
    EXPECT_EQ(alert->message, "the server answers pings slowly: 0.31 s for 10 s (threshold 0.1 s)");
    EXPECT_FALSE(thresholds.observe(kStart + seconds(11), 0, 0.9));
    EXPECT_TRUE(thresholds.raised(0));
}

TEST(Thresholds, ADipBeginsTheHoldTimeAnew) {
    Thresholds thresholds({&kPing, 1});
    EXPECT_FALSE(thresholds.observe(kStart, 0, 0.2));
    EXPECT_FALSE(thresholds.observe(kStart + seconds(9), 0, 0.09));
    EXPECT_FALSE(thresholds.observe(kStart + seconds(10), 0, 0.2));
    EXPECT_FALSE(thresholds.observe(kStart + seconds(19), 0, 0.2));
    EXPECT_TRUE(thresholds.observe(kStart + seconds(20), 0, 0.2));
}

TEST(Thresholds, ClearsAtTheClearLevelOnly) {
    Thresholds thresholds({&kPing, 1});
    thresholds.observe(kStart, 0, 0.2);
    ASSERT_TRUE(thresholds.observe(kStart + seconds(10), 0, 0.2));
    EXPECT_FALSE(thresholds.observe(kStart + seconds(20), 0, 0.07));
    EXPECT_TRUE(thresholds.raised(0));
    const auto cleared = thresholds.observe(kStart + seconds(30), 0, 0.05);
    ASSERT_TRUE(cleared);
    EXPECT_FALSE(cleared->raised);
    EXPECT_EQ(cleared->message, "over: the server answers pings slowly: 0.05 s after 30 s");
    EXPECT_FALSE(thresholds.observe(kStart + seconds(31), 0, 0.05));
}

TEST(Thresholds, AHigherClearLevelTurnsTheRuleAround) {
    Thresholds thresholds({&kFree, 1});
    EXPECT_FALSE(thresholds.observe(kStart, 0, 6));
    EXPECT_TRUE(thresholds.observe(kStart, 0, 5));
    EXPECT_FALSE(thresholds.observe(kStart, 0, 9));
    EXPECT_TRUE(thresholds.observe(kStart, 0, 10));
}

TEST(Thresholds, NothingMeasuredNeitherRaisesNorClears) {
    Thresholds thresholds({&kPing, 1});
    const double nothing = std::nan("");
    thresholds.observe(kStart, 0, 0.2);
    EXPECT_FALSE(thresholds.observe(kStart + seconds(5), 0, nothing));
    EXPECT_FALSE(thresholds.observe(kStart + seconds(10), 0, 0.2));
    ASSERT_TRUE(thresholds.observe(kStart + seconds(20), 0, 0.2));
    EXPECT_FALSE(thresholds.observe(kStart + seconds(30), 0, nothing));
    EXPECT_TRUE(thresholds.raised(0));
}

TEST(Thresholds, TheDefaultRulesAreSoundAndNamedOnce) {
    std::set<std::string_view> names;
    for (const AlertRule& rule : default_alert_rules()) {
        EXPECT_TRUE(check(rule)) << rule.name;
        EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
        EXPECT_FALSE(rule.message.empty());
        EXPECT_NE(rule.threshold, rule.clear_level) << rule.name;
    }
    const AlertRule bad{"x", std::nan(""), 0, {}, Severity::info, {}, {}};
    EXPECT_EQ(check(bad).error().message(), "alert.x.threshold is out of range: nan");
}

}  // namespace
}  // namespace howdah
