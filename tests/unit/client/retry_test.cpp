#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "client/policy/backoff.hpp"
#include "client/policy/bulkhead.hpp"
#include "client/policy/retry_budget.hpp"

namespace howdah {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Moment kStart{hours(1000)};

TEST(Backoff, DrawsEvenlyUpToADoublingBoundAndACap) {
    Random random(7);
    for (unsigned retry = 0; retry < 12; ++retry) {
        const Duration most = std::min<Duration>(milliseconds(2) * (1 << retry), milliseconds(100));
        Duration sum{};
        Duration longest{};
        constexpr int kDraws = 2000;
        for (int draw = 0; draw < kDraws; ++draw) {
            Backoff backoff(kContentionBackoff);
            for (unsigned before = 0; before < retry; ++before) backoff.next(random);
            const Duration wait = backoff.next(random);
            ASSERT_GE(wait, Duration::zero());
            ASSERT_LE(wait, most);
            sum += wait;
            longest = std::max(longest, wait);
        }
        EXPECT_NEAR(static_cast<double>((sum / kDraws).count()), static_cast<double>(most.count()) / 2,
                    static_cast<double>(most.count()) / 20);
        EXPECT_GT(longest, most * 9 / 10);
    }
}

TEST(Backoff, ManyRetriesDoNotOverflow) {
    Random random(1);
    Backoff backoff(kDialBackoff);
    for (int retry = 0; retry < 1000; ++retry) EXPECT_LE(backoff.next(random), seconds(10));
    EXPECT_EQ(backoff.retries(), 1000U);
    backoff.reset();
    EXPECT_LE(backoff.next(random), milliseconds(50));
}

TEST(Backoff, StopsWhereTheSleepWouldCrossTheDeadline) {
    Random random(3);
    int stopped = 0;
    for (int draw = 0; draw < 1000; ++draw) {
        Backoff backoff({milliseconds(100), milliseconds(100)});
        const auto wait = backoff.next(kStart, kStart + milliseconds(50), random);
        stopped += wait ? 0 : 1;
        EXPECT_LT(wait.value_or(Duration::zero()), milliseconds(50));
    }
    EXPECT_NEAR(stopped, 500, 80);
    Backoff late(kContentionBackoff);
    EXPECT_FALSE(late.next(kStart, kStart, random));
    EXPECT_TRUE(late.next(kStart, kNever, random));
}

TEST(Backoff, EqualSeedsGiveEqualWaits) {
    Random one(42);
    Random two(42);
    Backoff first(kDialBackoff);
    Backoff second(kDialBackoff);
    for (int retry = 0; retry < 20; ++retry) EXPECT_EQ(first.next(one), second.next(two));
}

TEST(RetryBudget, TenCallsPayOneRetry) {
    RetryBudget budget({.floor_per_second = 0}, kStart);
    EXPECT_FALSE(budget.spend(kStart, RetryBudget::After::failure));
    for (int call = 0; call < 9; ++call) budget.earn();
    EXPECT_FALSE(budget.spend(kStart, RetryBudget::After::failure));
    budget.earn();
    EXPECT_TRUE(budget.spend(kStart, RetryBudget::After::failure));
    EXPECT_EQ(budget.left(kStart), 0);
    EXPECT_EQ(budget.spent(), 1U);
    EXPECT_EQ(budget.refused(), 2U);
}

TEST(RetryBudget, ARetryAfterATimeOutCostsTwo) {
    RetryBudget budget({.floor_per_second = 0}, kStart);
    for (int call = 0; call < 30; ++call) budget.earn();
    EXPECT_TRUE(budget.spend(kStart, RetryBudget::After::timeout));
    EXPECT_FALSE(budget.spend(kStart, RetryBudget::After::timeout));
    EXPECT_TRUE(budget.spend(kStart, RetryBudget::After::failure));
}

TEST(RetryBudget, TimeBringsTheFloorAndNoMore) {
    RetryBudget budget({}, kStart);
    const auto retries_now = [&](Moment now) {
        int count = 0;
        while (budget.spend(now, RetryBudget::After::failure)) ++count;
        return count;
    };
    EXPECT_EQ(retries_now(kStart), 3);
    EXPECT_EQ(retries_now(kStart + milliseconds(999)), 2);
    EXPECT_EQ(retries_now(kStart + milliseconds(1001)), 1);
    EXPECT_EQ(retries_now(kStart + hours(9)), 3);
    EXPECT_EQ(retries_now(kStart + hours(1)), 0) << "a moment of the past brings nothing";
}

TEST(RetryBudget, SmallStepsOfTimeLoseNothing) {
    RetryBudget budget({}, kStart);
    Moment now = kStart;
    while (budget.spend(now, RetryBudget::After::failure)) continue;
    int retries = 0;
    for (int step = 0; step < 10'000'000 / 7; ++step) {
        now += microseconds(7);
        retries += budget.spend(now, RetryBudget::After::failure) ? 1 : 0;
    }
    EXPECT_EQ(retries, 29);
}

TEST(RetryBudget, SavesUpToTheCapOnly) {
    RetryBudget budget({.cap = 5000}, kStart);
    for (int call = 0; call < 10'000; ++call) budget.earn();
    EXPECT_EQ(budget.left(kStart), 5000);
}

TEST(RetryBudget, WhenEverythingFailsTheLoadGrowsByATenth) {
    RetryBudget budget({}, kStart);
    constexpr int kCalls = 100'000;
    constexpr int kSeconds = 100;
    int tries = 0;
    for (int call = 0; call < kCalls; ++call) {
        const Moment now = kStart + microseconds(1'000'000LL * kSeconds / kCalls * call);
        budget.earn();
        ++tries;
        for (int retry = 0; retry < 3 && budget.spend(now, RetryBudget::After::failure); ++retry) ++tries;
    }
    EXPECT_LE(tries, kCalls * 11 / 10 + 3 * kSeconds + 3);
    EXPECT_GE(tries, kCalls * 11 / 10);
}

TEST(Bulkhead, CountsThoseInside) {
    Bulkhead bulkhead(2);
    EXPECT_TRUE(bulkhead.enter());
    EXPECT_TRUE(bulkhead.enter());
    EXPECT_FALSE(bulkhead.enter());
    EXPECT_EQ(bulkhead.rejected(), 1U);
    bulkhead.leave();
    EXPECT_TRUE(bulkhead.enter());
    bulkhead.set_limit(1);
    bulkhead.leave();
    EXPECT_FALSE(bulkhead.enter());
    bulkhead.leave();
    bulkhead.leave();
    EXPECT_EQ(bulkhead.inside(), 0U);
    bulkhead.set_limit(0);
    for (int call = 0; call < 1000; ++call) EXPECT_TRUE(bulkhead.enter());
}

TEST(RetryOptions, NonsenseIsANamedError) {
    EXPECT_TRUE(check(kContentionBackoff));
    EXPECT_TRUE(check(kDialBackoff));
    EXPECT_TRUE(check(RetryBudgetOptions{}));
    const auto backoff = check(BackoffOptions{seconds(2), seconds(1)});
    ASSERT_FALSE(backoff);
    EXPECT_EQ(backoff.error().message(), "backoff.base is out of range: above cap");
    const auto budget = check(RetryBudgetOptions{.cost = 0});
    ASSERT_FALSE(budget);
    EXPECT_EQ(budget.error().message(), "retry_budget.cost is out of range: 0");
    EXPECT_EQ(budget.error().hint(), "give 1 to 100000000");
    EXPECT_EQ(budget.error().phase(), Phase::configure);
}

}  // namespace
}  // namespace howdah
