// The bucket that --limit is made of, on a clock of the test's own.
#include "base/rate_limit.hpp"

#include <gtest/gtest.h>

namespace howdah::base {
namespace {

using namespace std::chrono_literals;

TEST(RateLimit, KeepsTheMeanAndLetsABurstPass) {
    RateLimit limit(Bytes{1'000'000});
    const auto start = RateLimit::Clock::now();
    EXPECT_EQ(limit.debt_after(100'000, start), 0ns) << "a tenth of a second is saved up";
    EXPECT_NEAR(static_cast<double>(limit.debt_after(1'000'000, start).count()), 1e9, 1e4);
    EXPECT_NEAR(static_cast<double>(limit.debt_after(500'000, start + 1s).count()), 5e8, 1e4);
    EXPECT_EQ(limit.debt_after(100'000, start + 1h), 0ns);
    EXPECT_NEAR(static_cast<double>(limit.debt_after(1'000'000, start + 1h).count()), 1e9, 1e4) << "an idle hour is not saved up";
}

TEST(RateLimit, WithoutARateNobodyWaits) {
    RateLimit limit;
    EXPECT_EQ(limit.debt_after(std::uint64_t{1} << 60, RateLimit::Clock::now()), 0ns);
    limit.take(std::uint64_t{1} << 60, {});
}

TEST(RateLimit, AStopEndsTheWait) {
    RateLimit limit(Bytes{1});
    Cancellation stopped;
    stopped.request();
    limit.take(1'000'000'000, stopped);
}

TEST(RateLimit, ReadsMegabytesOnly) {
    EXPECT_EQ(parse_megabytes_per_second("50")->count, 50'000'000u);
    EXPECT_EQ(parse_megabytes_per_second("0.5")->count, 500'000u);
    for (const char* text : {"", "0", "0.0", "-1", "1e3", "50MB", "x", " 5", "5 ", "nan", "inf", "0x10", "1000001", "0.0000001", "+5"})
        EXPECT_FALSE(parse_megabytes_per_second(text)) << text;
}

}  // namespace
}  // namespace howdah::base
