#include "client/policy/pool_core.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "client/policy/borrow_error.hpp"

namespace howdah {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = PoolCore::Work::Kind;

constexpr Moment kStart{hours(1000)};
const Error kDialError(Phase::connect, Cause::broken, {"connection refused", {}, {}, "host db, port 5432"});

/// A pool with a virtual clock whose dials come through at once.
struct Bench {
    explicit Bench(const PoolOptions& options = {}) : pool(options, 5) {}

    PoolCore::Work work() { return pool.next_work(now); }
    std::vector<PoolCore::Work> all_work() {
        std::vector<PoolCore::Work> all;
        for (auto next = work(); next.kind != Kind::none; next = work()) all.push_back(next);
        return all;
    }
    /// Borrows, dialling when needed.
    ConnectionId take(std::string_view tag = "test") {
        auto borrowed = pool.borrow(now, tag, now + seconds(5));
        if (borrowed.kind == PoolCore::Borrowed::Kind::granted) return borrowed.connection;
        EXPECT_EQ(borrowed.kind, PoolCore::Borrowed::Kind::queued);
        const auto dial = work();
        EXPECT_EQ(dial.kind, Kind::dial);
        EXPECT_TRUE(pool.dialled(now, dial.connection));
        const auto served = work();
        EXPECT_EQ(served.kind, Kind::serve);
        EXPECT_EQ(served.waiter, borrowed.waiter);
        return served.connection;
    }
    WaiterId queue(Duration patience = seconds(5)) { return pool.borrow(now, "queued", now + patience).waiter; }
    bool give(ConnectionId id, Fate fate = Fate::keep, bool dirty = false) { return pool.give_back(now, id, fate, dirty); }

    Moment now = kStart;
    PoolCore pool;
};

TEST(PoolCore, TakesTheWarmestConnection) {
    Bench bench;
    const auto first = bench.take();
    const auto second = bench.take();
    bench.give(first);
    bench.give(second);
    EXPECT_EQ(bench.take().place, second.place);
    EXPECT_EQ(bench.take().place, first.place);
    EXPECT_EQ(bench.pool.counts().busy, 2U);
    EXPECT_EQ(bench.work().kind, Kind::none);
}

TEST(PoolCore, ServesFirstComeFirstServedByHandOver) {
    Bench bench({.max_connections = 1});
    const auto only = bench.take();
    const auto first = bench.queue();
    const auto second = bench.queue();
    EXPECT_EQ(bench.work().kind, Kind::none) << "the cap is reached";
    bench.give(only);
    EXPECT_EQ(bench.pool.borrow(bench.now, "barging", bench.now + seconds(1)).kind, PoolCore::Borrowed::Kind::queued);
    const auto served = bench.work();
    EXPECT_EQ(served.kind, Kind::serve);
    EXPECT_EQ(served.waiter, first);
    bench.give(served.connection);
    EXPECT_EQ(bench.work().waiter, second);
}

TEST(PoolCore, TheQueueIsBounded) {
    Bench bench({.max_connections = 1, .max_waiters = 2});
    const auto only = bench.take("checkout");
    bench.queue();
    bench.queue();
    bench.now += milliseconds(3200);
    const auto refused = bench.pool.borrow(bench.now, "late", bench.now + seconds(1));
    ASSERT_EQ(refused.kind, PoolCore::Borrowed::Kind::refused);
    EXPECT_EQ(refused.refusal.failure, BorrowFailure::queue_full);
    EXPECT_EQ(borrow_error(refused.refusal, {}).message(),
              "no room to wait for a connection: 2 wait already, 1 is in use, the longest for 3.2 s by checkout");
    bench.give(only);
}

TEST(PoolCore, ATimeOutNamesTheOldestHolder) {
    Bench bench({.max_connections = 2});
    bench.take("report");
    bench.now += seconds(1);
    bench.take("checkout");
    const auto waiter = bench.queue(seconds(2));
    bench.now += seconds(2);
    bench.pool.tick(bench.now);
    const auto refused = bench.work();
    EXPECT_EQ(refused.kind, Kind::refuse);
    EXPECT_EQ(refused.waiter, waiter);
    EXPECT_EQ(refused.refusal.failure, BorrowFailure::all_busy);
    const Error error = borrow_error(refused.refusal, bench.pool.last_dial_error());
    EXPECT_EQ(error.message(), "no connection in time, all are taken: 2 are in use, the longest for 3 s by report");
    EXPECT_EQ(error.phase(), Phase::borrow);
    EXPECT_EQ(error.cause(), Cause::timed_out);
}

TEST(PoolCore, ATimeOutWhileDiallingFailsTellsTheLastFailure) {
    Bench bench;
    bench.queue(seconds(1));
    bench.pool.dial_failed(bench.now, bench.work().connection, kDialError);
    bench.now += seconds(1);
    bench.pool.tick(bench.now);
    const auto refused = bench.work();
    EXPECT_EQ(refused.refusal.failure, BorrowFailure::dialling);
    const Error error = borrow_error(refused.refusal, bench.pool.last_dial_error());
    EXPECT_EQ(error.message(), "no connection in time, dialling failed once: connection refused");
    EXPECT_EQ(error.endpoint(), "host db, port 5432");
}

TEST(PoolCore, ALoginThatMayHaveLeftASessionKeepsItsPlace) {
    Bench bench({.max_connections = 1, .dial_time = seconds(1)});
    bench.queue();
    const auto dial = bench.work().connection;
    EXPECT_TRUE(bench.pool.dial_failed(bench.now, dial, kDialError, true));
    EXPECT_EQ(bench.pool.counts().closing, 1U);
    bench.now += seconds(2);
    bench.pool.tick(bench.now);
    EXPECT_EQ(bench.work().kind, Kind::none) << "neither a dial beyond the cap nor a request to close";
    EXPECT_TRUE(bench.pool.closed(dial));
    EXPECT_EQ(bench.work().kind, Kind::dial);
}

TEST(PoolCore, EveryCauseHasWordsOfItsOwn) {
    std::vector<std::string> messages;
    for (const auto failure : {BorrowFailure::all_busy, BorrowFailure::dialling, BorrowFailure::breaker_open, BorrowFailure::queue_full,
                               BorrowFailure::closing, BorrowFailure::forked}) {
        const Error error = borrow_error({.failure = failure}, {});
        EXPECT_FALSE(error.hint().empty());
        for (const auto& other : messages) EXPECT_NE(error.message(), other);
        messages.push_back(error.message());
    }
    EXPECT_EQ(classify(borrow_error({.failure = BorrowFailure::closing}, {})).verdict.retry, Retry::never);
    EXPECT_EQ(classify(borrow_error({.failure = BorrowFailure::queue_full}, {})).verdict.vote, Vote::none);
}

TEST(PoolCore, AFailingEndpointIsDialledOnceAtATimeAndEverMoreRarely) {
    Bench bench({.max_connections = 50, .dials_at_once = 8});
    for (int i = 0; i < 50; ++i) bench.queue(minutes(10));
    auto begun = bench.all_work();
    EXPECT_EQ(begun.size(), 8U);
    for (const auto& dial : begun) bench.pool.dial_failed(bench.now, dial.connection, kDialError);
    int dials = 0;
    const Moment until = bench.now + seconds(60);
    while (bench.now < until) {
        bench.now += milliseconds(10);
        begun = bench.all_work();
        ASSERT_LE(begun.size(), 1U);
        EXPECT_LE(bench.pool.counts().dialling, 1U);
        dials += static_cast<int>(begun.size());
        for (const auto& dial : begun) bench.pool.dial_failed(bench.now, dial.connection, kDialError);
    }
    EXPECT_LE(dials, 120);
    EXPECT_GE(dials, 6);
}

TEST(PoolCore, ARecoveredEndpointIsDialledInSteps) {
    Bench bench({.max_connections = 50, .dials_at_once = 8});
    for (int i = 0; i < 50; ++i) bench.queue(minutes(10));
    for (const auto& dial : bench.all_work()) bench.pool.dial_failed(bench.now, dial.connection, kDialError);
    bench.now += seconds(10);
    for (const std::size_t width : {1U, 2U, 4U, 8U, 8U}) {
        std::vector<ConnectionId> dials;
        for (const auto& work : bench.all_work()) {
            if (work.kind == Kind::dial) dials.push_back(work.connection);
        }
        EXPECT_EQ(dials.size(), width);
        for (const auto& dial : dials) bench.pool.dialled(bench.now, dial);
    }
}

TEST(PoolCore, NoCallersPatienceEndsADial) {
    Bench bench;
    const auto waiter = bench.queue(milliseconds(10));
    const auto dial = bench.work();
    bench.now += milliseconds(10);
    bench.pool.tick(bench.now);
    EXPECT_EQ(bench.work().waiter, waiter);
    EXPECT_EQ(bench.pool.counts().dialling, 1U);
    bench.queue();
    EXPECT_EQ(bench.work().kind, Kind::none) << "the dial under way is for him";
    EXPECT_TRUE(bench.pool.dialled(bench.now, dial.connection));
    EXPECT_EQ(bench.work().kind, Kind::serve);
}

TEST(PoolCore, ADrainingConnectionKeepsItsPlace) {
    Bench bench({.max_connections = 1});
    bench.give(bench.take(), Fate::drain);
    const auto drain = bench.work();
    EXPECT_EQ(drain.kind, Kind::drain);
    bench.queue();
    EXPECT_EQ(bench.work().kind, Kind::none);
    EXPECT_EQ(bench.pool.counts().occupied(), 1U);
    EXPECT_TRUE(bench.pool.drained(bench.now, drain.connection, true));
    EXPECT_EQ(bench.work().kind, Kind::serve);
}

TEST(PoolCore, AConnectionThatDoesNotDrainIsClosedThenReplaced) {
    Bench bench({.max_connections = 1});
    bench.give(bench.take(), Fate::drain);
    const auto drain = bench.work();
    bench.queue(minutes(1));
    bench.now += seconds(10);
    bench.pool.tick(bench.now);
    const auto close = bench.work();
    EXPECT_EQ(close.kind, Kind::close);
    EXPECT_EQ(bench.work().kind, Kind::none) << "not before it is closed";
    EXPECT_FALSE(bench.pool.drained(bench.now, drain.connection, true)) << "too late";
    EXPECT_TRUE(bench.pool.closed(close.connection));
    EXPECT_EQ(bench.work().kind, Kind::dial);
}

TEST(PoolCore, OnlyDirtySessionsAreReset) {
    Bench bench;
    bench.give(bench.take(), Fate::keep, true);
    const auto reset = bench.work();
    EXPECT_EQ(reset.kind, Kind::reset);
    EXPECT_EQ(bench.pool.counts().idle, 0U);
    EXPECT_TRUE(bench.pool.reset_done(bench.now, reset.connection, true));
    EXPECT_EQ(bench.pool.counts().idle, 1U);
    bench.give(bench.take(), Fate::clear_entry);
    EXPECT_EQ(bench.pool.counts().idle, 1U);
    bench.give(bench.take(), Fate::keep, true);
    bench.pool.reset_done(bench.now, bench.work().connection, false);
    EXPECT_EQ(bench.work().kind, Kind::close);
    bench.give(bench.take(), Fate::drain, true);
    bench.pool.drained(bench.now, bench.work().connection, true);
    EXPECT_EQ(bench.work().kind, Kind::reset) << "drained, but still dirty";
}

TEST(PoolCore, ANewEpochClosesAllOfTheOldOne) {
    Bench bench;
    const auto demoted = bench.take();
    const auto busy = bench.take();
    bench.give(bench.take());
    bench.queue();
    EXPECT_EQ(bench.work().kind, Kind::none) << "the idle one served him at once";
    bench.give(demoted, Fate::drop_epoch);
    bench.give(busy, Fate::keep);
    int closes = 0;
    for (const auto& work : bench.all_work()) closes += work.kind == Kind::close ? 1 : 0;
    EXPECT_EQ(closes, 2);
    const auto stale = bench.queue();
    EXPECT_NE(stale.place, kNowhere);
    const auto dial = bench.work();
    ASSERT_EQ(dial.kind, Kind::dial);
    bench.pool.new_epoch();
    bench.pool.dialled(bench.now, dial.connection);
    EXPECT_EQ(bench.work().kind, Kind::close) << "dialled before the change was known";
    EXPECT_EQ(bench.work().kind, Kind::dial);
}

TEST(PoolCore, IdleAgeDecidesTheCheck) {
    Bench bench;
    bench.give(bench.take());
    const auto check_after = [&](Duration idle) {
        bench.now += idle;
        const auto borrowed = bench.pool.borrow(bench.now, "test", kNever);
        bench.give(borrowed.connection);
        return borrowed.check;
    };
    EXPECT_EQ(check_after(milliseconds(499)), Check::none);
    EXPECT_EQ(check_after(milliseconds(500)), Check::poll);
    EXPECT_EQ(check_after(milliseconds(29999)), Check::poll);
    EXPECT_EQ(check_after(seconds(30)), Check::ping);
}

TEST(PoolCore, ALeaseThatWasNotUsedLeavesTheConnectionsAgeAsItWas) {
    Bench bench;
    bench.give(bench.take());
    bench.now += PoolOptions{}.ping_after;
    for (int i = 0; i < 3; ++i) {
        const auto borrowed = bench.pool.borrow(bench.now, "rejected", kNever);
        ASSERT_EQ(borrowed.kind, PoolCore::Borrowed::Kind::granted);
        EXPECT_EQ(borrowed.check, Check::ping);
        bench.pool.return_unused(bench.now, borrowed.connection);
    }
    bench.give(bench.take());
    EXPECT_EQ(bench.pool.borrow(bench.now, "after use", kNever).check, Check::none);
}

TEST(PoolCore, ABorrowerWithADeadConnectionIsNextInLine) {
    Bench bench({.max_connections = 1, .max_waiters = 1});
    const auto dead = bench.take();
    const auto other = bench.queue();
    EXPECT_TRUE(bench.pool.lost(bench.now, dead));
    EXPECT_FALSE(bench.give(dead));
    const auto again = bench.pool.borrow_again(bench.now, "test", bench.now + seconds(1));
    ASSERT_EQ(again.kind, PoolCore::Borrowed::Kind::queued) << "beyond the queue's bound";
    bench.pool.dialled(bench.now, bench.work().connection);
    const auto served = bench.work();
    EXPECT_EQ(served.waiter, again.waiter);
    bench.give(served.connection);
    EXPECT_EQ(bench.work().waiter, other);
}

TEST(PoolCore, LifetimesEndWithJitter) {
    Bench bench({.max_connections = 100, .idle_time = hours(9)});
    std::vector<ConnectionId> all;
    for (int i = 0; i < 100; ++i) all.push_back(bench.take());
    for (const auto id : all) bench.give(id);
    bench.now += minutes(27) - seconds(1);
    bench.pool.tick(bench.now);
    EXPECT_EQ(bench.pool.counts().idle, 100U);
    bench.now += minutes(3) + seconds(1);
    bench.pool.tick(bench.now);
    EXPECT_NEAR(bench.pool.counts().idle, 50, 20);
    bench.now += minutes(3) + seconds(1);
    bench.pool.tick(bench.now);
    EXPECT_EQ(bench.pool.counts().idle, 0U);
    EXPECT_EQ(bench.pool.counts().closing, 100U);
}

TEST(PoolCore, KeepsTheLeastIdleAndClosesSpareOnes) {
    Bench bench({.min_idle = 2});
    for (const auto& dial : bench.all_work()) {
        EXPECT_EQ(dial.kind, Kind::dial);
        bench.pool.dialled(bench.now, dial.connection);
    }
    EXPECT_EQ(bench.pool.counts().idle, 2U);
    std::vector<ConnectionId> leases{bench.take(), bench.take(), bench.take()};
    for (const auto& work : bench.all_work()) bench.pool.dialled(bench.now, work.connection);
    for (const auto id : leases) bench.give(id);
    EXPECT_GE(bench.pool.counts().idle, 4U);
    bench.now += minutes(10);
    EXPECT_LE(bench.pool.next_change(), bench.now);
    bench.pool.tick(bench.now);
    EXPECT_EQ(bench.pool.counts().idle, 2U);
}

TEST(PoolCore, AnOldHandleIsWorthNothing) {
    Bench bench({.max_connections = 1});
    const auto lease = bench.take();
    EXPECT_TRUE(bench.give(lease));
    EXPECT_FALSE(bench.give(lease));
    const auto again = bench.take();
    EXPECT_EQ(again.place, lease.place);
    EXPECT_FALSE(bench.give(lease)) << "another has it now";
    EXPECT_FALSE(bench.pool.closed(again));
    EXPECT_EQ(bench.pool.counts().misused, 3U);
    EXPECT_TRUE(bench.give(again));
}

TEST(PoolCore, AWaiterThatGivesUpIsTakenOut) {
    Bench bench({.max_connections = 1});
    const auto only = bench.take("holder");
    const auto first = bench.queue();
    const auto second = bench.queue();
    const auto reason = bench.pool.stop_waiting(bench.now, first);
    ASSERT_TRUE(reason);
    EXPECT_EQ(reason->oldest_tag, "holder");
    EXPECT_FALSE(bench.pool.stop_waiting(bench.now, first));
    bench.give(only);
    EXPECT_FALSE(bench.pool.stop_waiting(bench.now, second)) << "he has been served and must take it";
    const auto served = bench.work();
    EXPECT_EQ(served.waiter, second);
    EXPECT_FALSE(bench.pool.stop_waiting(bench.now, second));
}

TEST(PoolCore, CloseWaitsThenCancelsThenDropsAndReports) {
    Bench bench({.max_connections = 6, .dials_at_once = 1});
    const auto prompt = bench.take("prompt");
    const auto slow = bench.take("slow");
    const auto hung = bench.take("hung");
    bench.take("forgotten");
    const auto waiter = bench.queue(minutes(1));
    const auto dial = bench.work();
    ASSERT_EQ(dial.kind, Kind::dial);
    bench.pool.close(bench.now, bench.now + seconds(3));
    EXPECT_EQ(bench.pool.borrow(bench.now, "late", kNever).refusal.failure, BorrowFailure::closing);
    int refused = 0;
    for (const auto& work : bench.all_work()) {
        if (work.kind == Kind::close) {
            EXPECT_TRUE(bench.pool.closed(work.connection));
            continue;
        }
        EXPECT_EQ(work.refusal.failure, BorrowFailure::closing);
        refused += work.waiter == waiter ? 1 : 0;
    }
    EXPECT_EQ(refused, 1);
    EXPECT_FALSE(bench.pool.dialled(bench.now, dial.connection));
    bench.give(prompt);
    EXPECT_TRUE(bench.pool.closed(bench.work().connection));
    bench.now += seconds(3);
    EXPECT_EQ(bench.pool.next_change(), bench.now);
    bench.pool.tick(bench.now);
    auto cancels = bench.all_work();
    EXPECT_EQ(cancels.size(), 3U);
    for (const auto& work : cancels) EXPECT_EQ(work.kind, Kind::cancel);
    bench.give(slow);
    EXPECT_TRUE(bench.pool.closed(bench.work().connection));
    EXPECT_FALSE(bench.pool.finished());
    bench.now += seconds(2);
    bench.pool.tick(bench.now);
    for (const auto& work : bench.all_work()) EXPECT_TRUE(bench.pool.closed(work.connection));
    EXPECT_TRUE(bench.pool.finished());
    EXPECT_FALSE(bench.give(hung));
    const auto& report = bench.pool.report();
    EXPECT_EQ(report.returned, 1U);
    EXPECT_EQ(report.returned_after_cancel, 1U);
    EXPECT_EQ(report.dropped, 2U);
    EXPECT_EQ(report.oldest_dropped, "hung");
    EXPECT_EQ(report.waiters_refused, 1U);
    EXPECT_EQ(report.dials_abandoned, 1U);
    EXPECT_EQ(report.idle_closed, 0U);
}

TEST(PoolCore, AnIdlePoolClosesAtOnce) {
    Bench bench;
    bench.give(bench.take());
    bench.pool.close(bench.now, bench.now + seconds(3));
    EXPECT_TRUE(bench.pool.closed(bench.work().connection));
    EXPECT_TRUE(bench.pool.finished());
    EXPECT_EQ(bench.pool.report().idle_closed, 1U);
    EXPECT_EQ(bench.work().kind, Kind::none);
}

TEST(PoolOptions, NonsenseIsANamedError) {
    EXPECT_TRUE(check(PoolOptions{}));
    EXPECT_EQ(check(PoolOptions{.max_connections = 0}).error().message(), "pool.max_connections is out of range: 0");
    EXPECT_EQ(check(PoolOptions{.min_idle = 11}).error().message(), "pool.min_idle is out of range: above max_connections");
    EXPECT_FALSE(check(PoolOptions{.dial_backoff = {seconds(2), seconds(1)}}));
}

}  // namespace
}  // namespace howdah
