#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <new>

#include "client/policy/breaker.hpp"
#include "client/policy/bulkhead.hpp"
#include "client/policy/pool_core.hpp"
#include "client/policy/retry_budget.hpp"

namespace {
thread_local std::size_t allocations = 0;
}

// Counted for this whole program; the other forms of new and delete come down to these two.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

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
    const std::size_t before = allocations;
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
    EXPECT_EQ(allocations, before);
    EXPECT_GT(served, 19'000U);
}

TEST(Policies, ARejectionAllocatesNothing) {
    const Moment now{std::chrono::hours(1000)};
    Breaker breaker({.mode = BreakerMode::forced_open}, now, 1);
    const std::size_t before = allocations;
    for (int call = 0; call < 10'000; ++call) EXPECT_FALSE(breaker.admit(now).admitted);
    EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace howdah
