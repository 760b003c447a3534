#include "client/policy/breaker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <vector>

namespace howdah {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Moment kStart{hours(1000)};

/// A breaker with a virtual clock.
struct Bench {
    explicit Bench(const BreakerOptions& options = {}) : breaker(options, kStart, 11) {}

    /// A call that answers at once; whether it was admitted.
    bool call(Vote vote) {
        auto admission = breaker.admit(now);
        if (admission.transition) last = admission.transition;
        if (!admission.admitted) return false;
        note(breaker.finish(now, admission.permit, vote));
        return true;
    }
    void calls(int count, Vote vote) {
        for (int i = 0; i < count; ++i) call(vote);
    }
    void note(const BreakerTransition& transition) {
        if (transition) last = transition;
    }
    /// Opens it by failures in a row and waits until it is half-open.
    void to_half_open() {
        calls(5, Vote::failure);
        ASSERT_EQ(breaker.state(), BreakerState::open);
        now = breaker.rejects_until();
        note(breaker.tick(now));
        ASSERT_EQ(breaker.state(), BreakerState::half_open);
    }

    Moment now = kStart;
    Breaker breaker;
    BreakerTransition last;
};

TEST(Breaker, OpensOnTheShareOfFailuresFromTheMinimumOn) {
    Bench bench({.consecutive_failures = 0});
    for (int i = 0; i < 9; ++i) {
        bench.call(Vote::failure);
        bench.call(Vote::success);
    }
    bench.call(Vote::failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed) << "19 calls are below the minimum";
    bench.call(Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
    EXPECT_EQ(bench.last.from, BreakerState::closed);
    EXPECT_EQ(bench.last.to, BreakerState::open);
    EXPECT_EQ(bench.last.reason, BreakerReason::failure_share);
    EXPECT_FALSE(bench.call(Vote::success));
    EXPECT_EQ(bench.breaker.counts().rejected, 1U);
}

TEST(Breaker, ForgetsWhatIsOlderThanTheWindow) {
    Bench bench({.consecutive_failures = 0});
    bench.calls(19, Vote::failure);
    bench.now += milliseconds(9900);
    bench.breaker.tick(bench.now);
    EXPECT_EQ(bench.breaker.counts().calls, 19U);
    bench.now += milliseconds(1100);
    bench.calls(19, Vote::success);
    EXPECT_EQ(bench.breaker.counts().calls, 19U);
    EXPECT_EQ(bench.breaker.counts().failures, 0U);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
}

TEST(Breaker, AQuietServiceOpensOnFailuresInARow) {
    Bench bench;
    for (int i = 0; i < 4; ++i) {
        bench.call(Vote::failure);
        bench.now += seconds(60);
    }
    bench.call(Vote::success);
    bench.calls(4, Vote::failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
    bench.call(Vote::overload);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
    EXPECT_EQ(bench.last.reason, BreakerReason::consecutive_failures);
}

TEST(Breaker, ContentionAndMistakesCastNoVote) {
    Bench bench;
    bench.calls(1000, Vote::none);
    EXPECT_EQ(bench.breaker.counts().calls, 0U);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
}

TEST(Breaker, OneEndedSessionIsNoFailureSeveralAre) {
    Bench bench({.failure_share = 0.1, .consecutive_failures = 0});
    bench.calls(20, Vote::success);
    bench.calls(2, Vote::termination);
    bench.call(Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
    bench.call(Vote::termination);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
}

TEST(Breaker, SlowAnswersOpenIt) {
    Bench bench({.minimum_calls = 5});
    for (int i = 0; i < 5; ++i) {
        auto admission = bench.breaker.admit(bench.now);
        bench.now += milliseconds(2000);
        bench.note(bench.breaker.finish(bench.now, admission.permit, Vote::success));
    }
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
    EXPECT_EQ(bench.last.reason, BreakerReason::slow_share);
}

TEST(Breaker, CallsUnderWayAreSlowBeforeTheyReturn) {
    Bench bench;
    std::vector<Breaker::Permit> hanging;
    for (int i = 0; i < 20; ++i) hanging.push_back(bench.breaker.admit(bench.now).permit);
    EXPECT_FALSE(bench.breaker.tick(bench.now + milliseconds(1999)));
    const auto opened = bench.breaker.tick(bench.now + milliseconds(2000));
    EXPECT_EQ(opened.to, BreakerState::open);
    EXPECT_EQ(opened.reason, BreakerReason::slow_share);
    for (auto& permit : hanging) EXPECT_FALSE(bench.breaker.finish(bench.now + seconds(3), permit, Vote::failure));
}

TEST(Breaker, ASlowCallIsCountedOnce) {
    Bench bench({.consecutive_failures = 0});
    auto slow = bench.breaker.admit(bench.now).permit;
    bench.now += seconds(3);
    bench.breaker.tick(bench.now);
    EXPECT_EQ(bench.breaker.counts().calls, 1U);
    EXPECT_EQ(bench.breaker.counts().slow, 1U);
    bench.breaker.finish(bench.now, slow, Vote::failure);
    EXPECT_EQ(bench.breaker.counts().calls, 1U);
    EXPECT_EQ(bench.breaker.counts().slow, 1U);
    EXPECT_EQ(bench.breaker.counts().failures, 1U);
}

TEST(Breaker, MoreCallsThanPlacesAreJudgedWhenTheyReturn) {
    Bench bench({.minimum_calls = 3, .tracked_calls = 1});
    std::vector<Breaker::Permit> permits;
    for (int i = 0; i < 3; ++i) permits.push_back(bench.breaker.admit(bench.now).permit);
    bench.now += seconds(2);
    bench.breaker.tick(bench.now);
    EXPECT_EQ(bench.breaker.counts().slow, 1U);
    for (auto& permit : permits) bench.note(bench.breaker.finish(bench.now, permit, Vote::success));
    EXPECT_EQ(bench.last.reason, BreakerReason::slow_share);
}

TEST(Breaker, TrafficReturnsInSteps) {
    Bench bench;
    bench.to_half_open();
    for (const int width : {1, 2, 4, 8}) {
        std::vector<Breaker::Permit> probes;
        for (int i = 0; i < width; ++i) {
            const auto admission = bench.breaker.admit(bench.now);
            ASSERT_TRUE(admission.admitted) << "step of " << width;
            probes.push_back(admission.permit);
        }
        EXPECT_FALSE(bench.breaker.admit(bench.now).admitted) << "a further one in the step of " << width;
        EXPECT_EQ(bench.breaker.state(), BreakerState::half_open);
        for (auto& probe : probes) bench.note(bench.breaker.finish(bench.now, probe, Vote::success));
    }
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
    EXPECT_EQ(bench.last.reason, BreakerReason::recovered);
    const auto counts = bench.breaker.counts();
    EXPECT_EQ(counts.probes_issued, 15U);
    EXPECT_EQ(counts.probes_returned, 15U);
}

TEST(Breaker, AFailedProbeOpensItForLonger) {
    Bench bench;
    bench.calls(5, Vote::failure);
    const std::vector<std::pair<Duration, Duration>> bounds{
        {seconds(1), milliseconds(1500)}, {seconds(2), seconds(3)},           {seconds(4), seconds(6)},          {seconds(8), seconds(12)},
        {seconds(16), seconds(24)},       {milliseconds(22500), seconds(30)}, {milliseconds(22500), seconds(30)}};
    for (const auto& [least, most] : bounds) {
        const Duration open_for = bench.breaker.rejects_until() - bench.now;
        EXPECT_GE(open_for, least);
        EXPECT_LE(open_for, most);
        EXPECT_FALSE(bench.breaker.admit(bench.breaker.rejects_until() - Duration(1)).admitted);
        bench.now = bench.breaker.rejects_until();
        EXPECT_TRUE(bench.call(Vote::failure));
        EXPECT_EQ(bench.last.reason, BreakerReason::probe_failed);
    }
}

TEST(Breaker, PermitsComeBackWithoutAVoteAndAreIssuedAgain) {
    Bench bench;
    bench.to_half_open();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(bench.call(Vote::none));
    EXPECT_EQ(bench.breaker.state(), BreakerState::half_open);
    EXPECT_EQ(bench.breaker.counts().probes_held, 0U);
    bench.calls(15, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
}

TEST(Breaker, APermitGivenBackTwiceCountsOnce) {
    Bench bench;
    bench.to_half_open();
    auto permit = bench.breaker.admit(bench.now).permit;
    bench.breaker.finish(bench.now, permit, Vote::none);
    bench.breaker.finish(bench.now, permit, Vote::none);
    EXPECT_EQ(bench.breaker.counts().probes_returned, 1U);
    EXPECT_EQ(bench.breaker.counts().probes_held, 0U);
}

TEST(Breaker, AHangingProbeHoldsNothingForEver) {
    Bench bench({.slow_after = seconds(60)});
    bench.to_half_open();
    auto hanging = bench.breaker.admit(bench.now).permit;
    EXPECT_FALSE(bench.breaker.admit(bench.now).admitted);
    EXPECT_FALSE(bench.breaker.tick(bench.now + milliseconds(9999)));
    const auto opened = bench.breaker.tick(bench.now + seconds(10));
    EXPECT_EQ(opened.reason, BreakerReason::probe_overdue);
    EXPECT_EQ(bench.breaker.counts().probes_written_off, 1U);
    bench.now = bench.breaker.rejects_until();
    auto probe = bench.breaker.admit(bench.now).permit;
    EXPECT_FALSE(bench.breaker.finish(bench.now, hanging, Vote::failure)) << "an old generation's vote";
    EXPECT_EQ(bench.breaker.counts().stale_results, 1U);
    EXPECT_EQ(bench.breaker.counts().probes_held, 1U);
    bench.breaker.finish(bench.now, probe, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::half_open);
}

TEST(Breaker, AProbeThatIsSlowOpensItBeforeItReturns) {
    Bench bench;
    bench.to_half_open();
    auto probe = bench.breaker.admit(bench.now).permit;
    EXPECT_EQ(bench.breaker.tick(bench.now + seconds(2)).reason, BreakerReason::probe_slow);
    EXPECT_FALSE(bench.breaker.finish(bench.now + seconds(3), probe, Vote::success));
}

TEST(Breaker, ThinTrafficThatGoesWellCloses) {
    Bench bench;
    bench.to_half_open();
    bench.now += seconds(300);
    EXPECT_TRUE(bench.call(Vote::success)) << "a state that nobody asked stays half-open";
    EXPECT_EQ(bench.breaker.state(), BreakerState::half_open);
    bench.now += seconds(10);
    EXPECT_EQ(bench.breaker.tick(bench.now).reason, BreakerReason::recovered);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
}

TEST(Breaker, TheMonitorProbesInACallersPlace) {
    Bench bench;
    bench.to_half_open();
    for (int i = 0; i < 15; ++i) bench.note(bench.breaker.monitored(bench.now += milliseconds(300), true));
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
    for (int i = 0; i < 3; ++i) bench.note(bench.breaker.monitored(bench.now += milliseconds(300), false));
    EXPECT_EQ(bench.last.reason, BreakerReason::dial_failures);
}

TEST(Breaker, DisabledNeitherGatesNorCounts) {
    Bench bench({.mode = BreakerMode::disabled});
    bench.calls(100, Vote::failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::disabled);
    EXPECT_EQ(bench.breaker.counts().calls, 0U);
    EXPECT_TRUE(bench.call(Vote::failure));
}

TEST(Breaker, ObserveCountsWhatItWouldHaveRejected) {
    Bench bench({.mode = BreakerMode::observe});
    bench.calls(105, Vote::failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::observe);
    EXPECT_EQ(bench.breaker.would_be(), BreakerState::open);
    EXPECT_EQ(bench.breaker.counts().would_have_rejected, 100U);
    EXPECT_EQ(bench.breaker.counts().rejected, 0U);
    EXPECT_EQ(bench.breaker.rejects_until(), Moment::min());
    EXPECT_FALSE(bench.last);
}

TEST(Breaker, ForcedStatesStay) {
    Bench bench({.mode = BreakerMode::forced_open});
    EXPECT_FALSE(bench.call(Vote::success));
    bench.now += hours(1);
    EXPECT_FALSE(bench.call(Vote::success));
    EXPECT_EQ(bench.breaker.rejects_until(), kNever);
    const auto changed = bench.breaker.set_mode(bench.now, BreakerMode::forced_closed);
    EXPECT_EQ(changed.from, BreakerState::forced_open);
    EXPECT_EQ(changed.to, BreakerState::forced_closed);
    bench.calls(100, Vote::failure);
    EXPECT_TRUE(bench.call(Vote::failure));
    EXPECT_EQ(bench.breaker.counts().failures, 101U);
}

TEST(Breaker, AChangeOfModeDropsEarlierVotes) {
    Bench bench;
    auto before = bench.breaker.admit(bench.now).permit;
    bench.calls(4, Vote::failure);
    bench.breaker.set_mode(bench.now, BreakerMode::observe);
    bench.breaker.set_mode(bench.now, BreakerMode::automatic);
    bench.breaker.finish(bench.now, before, Vote::failure);
    EXPECT_EQ(bench.breaker.counts().calls, 0U);
    bench.call(Vote::failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
}

TEST(Breaker, ResetClosesAnOpenOne) {
    Bench bench;
    bench.calls(5, Vote::failure);
    const auto reset = bench.breaker.reset(bench.now);
    EXPECT_EQ(reset.to, BreakerState::closed);
    EXPECT_EQ(reset.reason, BreakerReason::reset);
    bench.calls(4, Vote::failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
}

TEST(Breaker, ASolePrimaryOpensOnDialFailuresOnly) {
    Bench bench({.sole_primary = true});
    bench.calls(1000, Vote::failure);
    bench.calls(1000, Vote::overload);
    bench.calls(1000, Vote::slow);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
    bench.breaker.vote(bench.now, Vote::dial_failure);
    bench.breaker.vote(bench.now, Vote::dial_failure);
    bench.breaker.vote(bench.now, Vote::success);
    bench.breaker.vote(bench.now, Vote::dial_failure);
    bench.breaker.vote(bench.now, Vote::dial_failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed);
    bench.note(bench.breaker.vote(bench.now, Vote::dial_failure));
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
    EXPECT_EQ(bench.last.reason, BreakerReason::dial_failures);
    bench.now = bench.breaker.rejects_until();
    bench.calls(15, Vote::failure);
    EXPECT_EQ(bench.breaker.state(), BreakerState::closed) << "a session was had each time";
}

TEST(Breaker, TheGuardReturnsToObserve) {
    Bench bench;
    bench.calls(95, Vote::success);
    bench.calls(5, Vote::failure);
    ASSERT_EQ(bench.breaker.state(), BreakerState::open);
    bench.calls(5, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open) << "5 of 105 are within the share";
    bench.call(Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::observe);
    EXPECT_EQ(bench.last.reason, BreakerReason::guard);
    EXPECT_TRUE(bench.call(Vote::success));
}

TEST(Breaker, TheGuardCountsRejectionsMadeElsewhere) {
    Bench bench;
    bench.calls(95, Vote::success);
    bench.calls(5, Vote::failure);
    EXPECT_FALSE(bench.breaker.rejected_outside(bench.now, 5));
    EXPECT_EQ(bench.breaker.rejected_outside(bench.now, 1).reason, BreakerReason::guard);
    EXPECT_EQ(bench.breaker.counts().rejected, 6U);
}

TEST(Breaker, WhatTheMonitorSeesDownIsNotTheBreakersFault) {
    Bench bench;
    bench.calls(95, Vote::success);
    bench.calls(5, Vote::failure);
    bench.breaker.monitored(bench.now, false);
    bench.calls(1000, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
    bench.breaker.monitored(bench.now, true);
    bench.calls(100, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::observe);
}

TEST(Breaker, WhatDialsSayIsDownIsNotTheBreakersFault) {
    Bench bench;
    bench.calls(95, Vote::success);
    while (bench.breaker.state() == BreakerState::closed) bench.note(bench.breaker.vote(bench.now, Vote::dial_failure));
    ASSERT_EQ(bench.last.reason, BreakerReason::dial_failures);
    bench.calls(1000, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
    bench.breaker.monitored(bench.now, true);
    bench.calls(100, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::observe) << "somebody got through, and the breaker went on rejecting";
}

TEST(Breaker, TheMonitorsWordDoesNotShortenThatOfTheDials) {
    Bench bench({.open_least = seconds(20)});
    bench.calls(95, Vote::success);
    while (bench.breaker.state() == BreakerState::closed) bench.note(bench.breaker.vote(bench.now, Vote::dial_failure));
    bench.breaker.monitored(bench.now, false);
    bench.now += seconds(6);
    bench.calls(1000, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
}

TEST(Breaker, TheStepsAfterAnOutageAreNotTheBreakersFault) {
    Bench bench;
    bench.calls(95, Vote::success);
    while (bench.breaker.state() == BreakerState::closed) bench.note(bench.breaker.vote(bench.now, Vote::dial_failure));
    bench.note(bench.breaker.server_is_back(bench.now));
    bench.note(bench.breaker.monitored(bench.now, true));
    ASSERT_EQ(bench.breaker.state(), BreakerState::half_open);
    auto one = bench.breaker.admit(bench.now);
    auto other = bench.breaker.admit(bench.now);
    EXPECT_TRUE(one.admitted && other.admitted);
    bench.calls(1000, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::half_open);
    bench.note(bench.breaker.finish(bench.now, one.permit, Vote::success));
    bench.note(bench.breaker.finish(bench.now, other.permit, Vote::success));
    while (bench.breaker.state() == BreakerState::half_open) bench.call(Vote::success);
    EXPECT_EQ(bench.last.reason, BreakerReason::recovered);
}

TEST(Breaker, AServerThatIsBackIsLookedAtAtOnce) {
    Bench bench;
    bench.calls(5, Vote::failure);
    ASSERT_EQ(bench.breaker.state(), BreakerState::open);
    bench.note(bench.breaker.server_is_back(bench.now));
    EXPECT_EQ(bench.breaker.state(), BreakerState::half_open);
    EXPECT_EQ(bench.last.reason, BreakerReason::server_back);
    bench.breaker.set_mode(bench.now, BreakerMode::forced_open);
    EXPECT_FALSE(bench.breaker.server_is_back(bench.now));
    EXPECT_EQ(bench.breaker.state(), BreakerState::forced_open);
}

TEST(Breaker, TheGuardForgetsWhatIsOlderThanItsWindow) {
    Bench bench;
    bench.calls(95, Vote::success);
    bench.calls(5, Vote::failure);
    bench.calls(5, Vote::success);
    bench.now = kStart + seconds(70);
    bench.calls(15, Vote::success);
    bench.calls(5, Vote::failure);
    bench.calls(20, Vote::success);
    EXPECT_EQ(bench.breaker.state(), BreakerState::open) << "40 requests in the window are too few to say";
}

TEST(Breaker, TwoChangesByOneEventAreToldAsOne) {
    Bench bench;
    bench.calls(5, Vote::failure);
    const auto told = bench.breaker.monitored(bench.breaker.rejects_until(), false);
    EXPECT_EQ(told.from, BreakerState::open);
    EXPECT_EQ(told.to, BreakerState::open);
    EXPECT_EQ(told.reason, BreakerReason::probe_failed);
    EXPECT_EQ(bench.breaker.counts().opened, 2U);
}

TEST(Breaker, TimeThatGoesBackChangesNothing) {
    Bench bench;
    bench.calls(5, Vote::failure);
    bench.now -= hours(1);
    EXPECT_FALSE(bench.call(Vote::success));
    EXPECT_EQ(bench.breaker.state(), BreakerState::open);
}

TEST(Breaker, NumbersOfTheStatesAreTheMetrics) {
    EXPECT_EQ(static_cast<int>(BreakerState::closed), 0);
    EXPECT_EQ(static_cast<int>(BreakerState::open), 1);
    EXPECT_EQ(static_cast<int>(BreakerState::half_open), 2);
    EXPECT_EQ(static_cast<int>(BreakerState::disabled), 3);
    EXPECT_EQ(static_cast<int>(BreakerState::observe), 4);
    EXPECT_EQ(static_cast<int>(BreakerState::forced_open), 5);
    EXPECT_EQ(static_cast<int>(BreakerState::forced_closed), 6);
    EXPECT_EQ(name(BreakerState::forced_closed), "forced_closed");
    EXPECT_EQ(name(BreakerReason::reset), "reset");
}

TEST(BreakerOptions, NonsenseIsANamedError) {
    EXPECT_TRUE(check(BreakerOptions{}));
    const auto share = check(BreakerOptions{.failure_share = 1.7});
    ASSERT_FALSE(share);
    EXPECT_EQ(share.error().message(), "breaker.failure_share is out of range: 1.7");
    EXPECT_FALSE(check(BreakerOptions{.failure_share = std::nan("")}));
    EXPECT_FALSE(check(BreakerOptions{.open_least = seconds(31)}));
    EXPECT_FALSE(check(BreakerOptions{.window = Duration(0)}));
    EXPECT_FALSE(check(BreakerOptions{.half_open_time = Duration(0)}));
}

}  // namespace
}  // namespace howdah
