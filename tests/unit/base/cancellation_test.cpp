#include "base/cancellation.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/failure.hpp"

namespace howdah::base {
namespace {

using namespace std::chrono_literals;

TEST(Cancellation, ReachesEveryCopy) {
    Cancellation first;
    const Cancellation second = first;
    EXPECT_NO_THROW(second.check("the copy"));
    first.request();
    EXPECT_TRUE(second.requested());
    try {
        second.check("the copy");
        ADD_FAILURE() << "it went on";
    } catch (const Cancelled& cancelled) {
        EXPECT_STREQ(cancelled.what(), "the copy was stopped");
    }
}

TEST(Cancellation, SleepsTheWholeTime) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(Cancellation().sleep(20ms));
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
}

TEST(Cancellation, WakesASleeper) {
    Cancellation cancellation;
    const auto start = std::chrono::steady_clock::now();
    std::jthread stopper([&] { cancellation.request(); });
    EXPECT_FALSE(cancellation.sleep(std::chrono::nanoseconds::max()));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
    EXPECT_FALSE(cancellation.sleep(1h));
}

}  // namespace
}  // namespace howdah::base
