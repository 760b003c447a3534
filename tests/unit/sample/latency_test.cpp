#include "sample/latency.hpp"

#include <gtest/gtest.h>

namespace howdah::sample {
namespace {

using std::chrono::microseconds;

TEST(Latency, QuantilesAreRightWithinABucket) {
    Latencies latencies;
    for (int value = 1; value <= 10'000; ++value) latencies.add(microseconds(value));
    EXPECT_EQ(latencies.count(), 10'000u);
    EXPECT_EQ(latencies.maximum(), microseconds(10'000));
    for (const double share : {0.01, 0.5, 0.95, 0.99, 1.0}) {
        const auto found = static_cast<double>(latencies.quantile(share).count());
        EXPECT_GE(found, share * 10'000) << share;
        EXPECT_LE(found, share * 10'000 * 1.0625) << share;
    }
}

TEST(Latency, SmallValuesAreExactAndHugeOnesAreKept) {
    Latencies latencies;
    latencies.add(microseconds(3));
    EXPECT_EQ(latencies.quantile(0.5), microseconds(3));
    latencies.add(std::chrono::hours(48));
    EXPECT_EQ(latencies.maximum(), std::chrono::hours(48));
    EXPECT_GE(latencies.quantile(1.0), std::chrono::hours(1));
}

TEST(Latency, MergeAddsUp) {
    Latencies first;
    Latencies second;
    EXPECT_EQ(first.quantile(0.5), microseconds(0));
    first.add(microseconds(10));
    second.add(microseconds(14));
    first.merge(second);
    EXPECT_EQ(first.count(), 2u);
    EXPECT_EQ(first.quantile(0.5), microseconds(10));
    EXPECT_EQ(first.quantile(1.0), microseconds(14));
}

}  // namespace
}  // namespace howdah::sample
