#include <gtest/gtest.h>

#include <chrono>

#include "client/policy/breaker.hpp"
#include "client/policy/bulkhead.hpp"
#include "client/policy/pool_core.hpp"
#include "client/policy/retry_budget.hpp"
#include "support/allocations/allocations.hpp"

namespace howdah {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(Policies, ACallAllocatesNothing) {
    Moment now{std::chrono::hours(1000)};
    Breaker breaker({}, now, 1);
    RetryBudget budget({}, now);
    Bulkhead bulkhead(100);
    PoolCore pool({.max_connections = 2, .max_waiters = 8}, 2);
    const std::size_t before = tests::allocations();
    std::size_t served = 0;
    for (int round = 0; round < 20'000; ++round) {
        now += microseconds(700);
        if (!bulkhead.enter()) continue;
        budget.earn();
        auto admission = breaker.admit(now);
        const auto borrowed = pool.borrow(now, "call", now + seconds(1));
        ConnectionId lease = borrowed.connection;
        while (pool.has_work(now)) {
            const auto work = pool.next_work(now);
            if (work.kind == PoolCore::Work::Kind::dial) pool.dialled(now, work.connection);
            if (work.kind == PoolCore::Work::Kind::close) pool.closed(work.connection);
            if (work.kind == PoolCore::Work::Kind::serve) lease = work.connection;
        }
        served += pool.give_back(now, lease, round % 97 == 0 ? Fate::drop : Fate::keep, false) ? 1 : 0;
        breaker.finish(now, admission.permit, round % 5 == 0 ? Vote::failure : Vote::success);
        budget.spend(now, RetryBudget::After::failure);
        bulkhead.leave();
        if (round % 100 == 0) pool.tick(now);
    }
    EXPECT_EQ(tests::allocations(), before);
    EXPECT_GT(served, 19'000U);
}

TEST(Policies, ARejectionAllocatesNothing) {
    const Moment now{std::chrono::hours(1000)};
    Breaker breaker({.mode = BreakerMode::forced_open}, now, 1);
    const std::size_t before = tests::allocations();
    for (int call = 0; call < 10'000; ++call) EXPECT_FALSE(breaker.admit(now).admitted);
    EXPECT_EQ(tests::allocations(), before);
}

}  // namespace
}  // namespace howdah
