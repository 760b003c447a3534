#include <atomic>
#include <ctime>
#include <thread>

#include "scenario/client/ground.hpp"
#include "support/allocations/allocations.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Pool : public ClientTest {};

TEST_F(Pool, TheServerNeverSeesMoreSessionsThanTheCapAndAMonitor) {
    ClientOptions small = options(5);
    small.endpoint.conninfo += " options='-c howdah.test=" + name_ + "'";
    small.endpoint.pool.lifetime = 60ms;
    Client client = open(std::move(small));
    ASSERT_TRUE(await_monitor(client));
    const long most = most_sessions_while([&] {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 20; ++caller) {
            callers.emplace_back([&, caller] {
                for (int round = 0; round < 25; ++round) {
                    if (round % 10 == 3) {
                        static_cast<void>(client.execute({.deadline = in(2ms)}, "SELECT pg_sleep(0.01)"));
                    } else if (round % 10 == 6 && caller == 0) {
                        terminate_sessions();
                    } else {
                        static_cast<void>(client.execute("SELECT 1"));
                    }
                }
            });
        }
    });
    EXPECT_LE(most, 5);
    EXPECT_GE(most, 3);
    EXPECT_EQ(client.figures().pool.misused, 0U);
}

TEST_F(Pool, WaitersAreServedInTheirOrder) {
    Client client = open(1);
    std::vector<int> order;
    std::vector<std::jthread> waiters;
    {
        const auto lease = client.borrow();
        ASSERT_TRUE(lease);
        for (unsigned number = 0; number < 6; ++number) {
            waiters.emplace_back([&, number] {
                const auto mine = client.borrow();
                EXPECT_TRUE(mine);
                // One session: whoever has it is alone here.
                order.push_back(static_cast<int>(number));
            });
            ASSERT_TRUE(eventually([&] { return client.figures().pool.waiting == number + 1; }));
        }
    }
    waiters.clear();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(client.figures().wait.count, 7U);
}

TEST_F(Pool, TheWarmestSessionIsTakenFirst) {
    Client client = open(3);
    std::string last;
    {
        auto one = client.borrow();
        auto two = client.borrow();
        auto three = client.borrow();
        ASSERT_TRUE(one && two && three);
    }
    last = shown(client.execute("SELECT pg_backend_pid()"));
    for (int round = 0; round < 5; ++round) EXPECT_EQ(shown(client.execute("SELECT pg_backend_pid()")), last);
}

TEST_F(Pool, AFullQueueRefusesAtOnce) {
    ClientOptions small = options(1);
    small.endpoint.pool.max_waiters = 2;
    Client client = open(std::move(small));
    std::vector<std::jthread> waiters;
    {
        const auto lease = client.borrow({.tag = "the holder"});
        ASSERT_TRUE(lease);
        for (int number = 0; number < 2; ++number) waiters.emplace_back([&] { EXPECT_TRUE(client.execute("SELECT 1")); });
        ASSERT_TRUE(eventually([&] { return client.figures().pool.waiting == 2; }));
        const Stopwatch watch;
        const auto refused = client.execute("SELECT 1");
        EXPECT_LT(watch.taken(), 50ms);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().outcome(), Outcome::not_sent);
        EXPECT_NE(refused.error().message().find("2 wait already"), std::string::npos) << refused.error().message();
        EXPECT_NE(refused.error().message().find("the holder"), std::string::npos) << refused.error().message();
    }
}

TEST_F(Pool, TheBulkheadBoundsWaitingCallsToo) {
    ClientOptions small = options(1);
    small.bulkhead = 2;
    Client client = open(std::move(small));
    {
        const auto lease = client.borrow();
        ASSERT_TRUE(lease);
        std::jthread waiter([&] { EXPECT_FALSE(client.execute({.deadline = in(150ms)}, "SELECT 1")); });
        ASSERT_TRUE(eventually([&] { return client.figures().pool.waiting == 1; }));
        const auto refused = client.execute("SELECT 1");
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message().find("bulkhead"), std::string::npos);
    }
    for (int round = 0; round < 10; ++round) EXPECT_TRUE(client.execute("SELECT 1"));
    EXPECT_EQ(client.figures().bulkhead_rejected, 1U);
}

TEST_F(Pool, SessionsAreReplacedAtTheEndOfTheirLifetime) {
    ClientOptions brief = options(1);
    brief.endpoint.pool.lifetime = 100ms;
    Client client = open(std::move(brief));
    const std::string first = shown(client.execute("SELECT pg_backend_pid()"));
    EXPECT_TRUE(eventually([&] { return shown(client.execute("SELECT pg_backend_pid()")) != first; }));
    EXPECT_LE(sessions(), 1);
}

TEST_F(Pool, IdleOnesAreClosedDownToTheSpareOnes) {
    ClientOptions brief = options(4);
    brief.endpoint.pool.idle_time = 100ms;
    brief.endpoint.pool.min_idle = 1;
    Client client = open(std::move(brief));
    {
        const auto one = client.borrow();
        const auto two = client.borrow();
        const auto three = client.borrow();
        ASSERT_TRUE(one && two && three);
    }
    EXPECT_TRUE(eventually([&] { return client.figures().pool.open() == 1 && sessions() == 1; }));
}

TEST_F(Pool, DeadSessionsAreFoundBeforeUse) {
    for (const bool ping : {false, true}) {
        ClientOptions careful = options(2);
        careful.endpoint.pool.poll_after = 0ms;
        if (ping) careful.endpoint.pool.ping_after = 0ms;
        Client client = open(std::move(careful));
        ASSERT_TRUE(client.execute("SELECT 1"));
        terminate_sessions();
        ASSERT_TRUE(eventually([&] { return sessions() == 0; }));
        const auto rows = client.execute("INSERT INTO pg_temp.none VALUES (1)");
        EXPECT_EQ(rows.error().sqlstate(), "42P01") << rows.error().message();
        EXPECT_EQ(client.figures().retries_failure, 0U);
    }
}

TEST_F(Pool, ARejectionByAnOpenBreakerAllocatesNothing) {
    Client client = open(1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    client.set_breaker_mode(BreakerMode::forced_open);
    static const Statement kOne{"SELECT $1::int"};
    const std::size_t before = allocations();
    int rejected = 0;
    // Of this thread alone: what else the machine does is no part of it.
    const auto used = [] {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    const auto begun = used();
    for (int round = 0; round < 1000; ++round) {
        const auto rows = client.execute(kOne, round);
        rejected += !rows && rows.error().phase() == Phase::borrow ? 1 : 0;
    }
    const Duration taken = used() - begun;
    EXPECT_EQ(allocations(), before);
    EXPECT_EQ(rejected, 1000);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr auto kMost = 50us;
#else
    constexpr auto kMost = 5us;
#endif
    EXPECT_LT(taken / 1000, kMost);
    EXPECT_EQ(client.figures().breaker.rejected, 1000U);
}

TEST_F(Pool, ForcedModes) {
    Client client = open(1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    client.set_breaker_mode(BreakerMode::forced_open);
    EXPECT_EQ(client.figures().breaker_state, BreakerState::forced_open);
    EXPECT_FALSE(client.execute("SELECT 1"));
    EXPECT_FALSE(client.run([](Transaction& transaction) { return transaction.execute("SELECT 1"); }));
    EXPECT_FALSE(client.borrow());
    for (const auto mode : {BreakerMode::forced_closed, BreakerMode::disabled, BreakerMode::observe, BreakerMode::automatic}) {
        client.set_breaker_mode(mode);
        EXPECT_TRUE(client.execute("SELECT 1"));
    }
    EXPECT_EQ(client.figures().breaker_state, BreakerState::closed);
}

TEST_F(Pool, ForcingTheBreakerOpenRefusesThoseWhoWait) {
    Client client = open(1);
    const auto lease = client.borrow();
    ASSERT_TRUE(lease);
    std::string message;
    const Stopwatch watch;
    {
        std::jthread waiter([&] { message = client.execute("SELECT 1").error().message(); });
        ASSERT_TRUE(eventually([&] { return client.figures().pool.waiting == 1; }));
        client.set_breaker_mode(BreakerMode::forced_open);
    }
    EXPECT_LT(watch.taken(), 5s);
    EXPECT_NE(message.find("circuit breaker"), std::string::npos) << message;
}

}  // namespace
}  // namespace howdah::tests
