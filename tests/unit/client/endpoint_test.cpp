#include "client/endpoint/endpoint.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stop_token>
#include <vector>

namespace howdah {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Endpoint, RejectionsBetweenTwoTriesOfTheMonitorAreNotTheBreakersFault) {
    Moment now = std::chrono::steady_clock::now();
    EndpointPolicies policies;
    policies.breaker.open_least = seconds(20);
    Endpoint endpoint("primary", policies, {}, now);
    const Error full(Phase::authenticate, Cause::refused, {"sorry, too many clients already", {}, {}, {}}, SqlState("53300"));
    for (int i = 0; i < 5; ++i) endpoint.report(now, Endpoint::Report::dial_failed, {}, true, &full);
    ASSERT_EQ(endpoint.figures(now).breaker_state, BreakerState::open);
    endpoint.monitored(now, false);
    // One who is stopped already is rejected where the breaker is open, and waits for nothing where it is not.
    std::stop_source stop;
    stop.request_stop();
    std::vector<PoolCore::Work> work;
    for (int i = 0; i < 10; ++i) {
        now += seconds(1);
        for (int call = 0; call < 50; ++call) static_cast<void>(endpoint.admit(now, now, {}, stop.get_token()));
        endpoint.tick(now, work);
    }
    EXPECT_EQ(endpoint.figures(now).breaker_state, BreakerState::open) << "the monitor had no new word for ten seconds";
}

TEST(Endpoint, TheKeeperHearsOfAWaiterWhoseDialHasToWait) {
    Moment now = std::chrono::steady_clock::now();
    EndpointPolicies policies;
    policies.pool.dial_backoff = {seconds(10), seconds(20)};
    Endpoint endpoint("primary", policies, {}, now);
    int rings = 0;
    endpoint.set_keeper([&] { ++rings; });
    const std::stop_token never;
    ASSERT_FALSE(endpoint.admit(now, now, {}, never));
    std::vector<PoolCore::Work> work;
    endpoint.tick(now, work);
    ASSERT_EQ(work.size(), 1U);
    const Error refused(Phase::connect, Cause::broken, {"Connection refused", {}, {}, {}});
    endpoint.report(now, Endpoint::Report::dial_failed, work.front().connection, true, &refused);
    ASSERT_EQ(endpoint.next_change(), kNever) << "nobody waits";
    rings = 0;
    now += milliseconds(1);
    ASSERT_FALSE(endpoint.admit(now, now, {}, never));
    EXPECT_EQ(rings, 1) << "by itself the keeper looks once a second";
}

TEST(Endpoint, TheLastDialsHostIsToldWithItsWords) {
    Moment now = std::chrono::steady_clock::now();
    EndpointPolicies policies;
    policies.pool.min_idle = 1;
    policies.breaker.open_least = seconds(25);
    Endpoint endpoint("primary", policies, {}, now);
    std::vector<PoolCore::Work> work;
    const auto told_after_failure_at = [&](const char* where) {
        now += seconds(3);
        endpoint.tick(now, work);
        EXPECT_EQ(work.size(), 1U);
        const Error refused(Phase::connect, Cause::broken, {"Connection refused", {}, {}, where});
        if (!work.empty()) endpoint.report(now, Endpoint::Report::dial_failed, work.front().connection, true, &refused);
        // One who is stopped already is rejected where the breaker is open, and waits for nothing where it is not.
        std::stop_source stop;
        stop.request_stop();
        return endpoint.admit(now, now, {}, stop.get_token()).error().endpoint();
    };
    told_after_failure_at("host a");
    told_after_failure_at("host a");
    EXPECT_EQ(told_after_failure_at("host a"), "host a");
    ASSERT_EQ(endpoint.figures(now).breaker_state, BreakerState::open);
    EXPECT_EQ(told_after_failure_at("host b"), "host b");
}

}  // namespace
}  // namespace howdah
