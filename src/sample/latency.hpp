#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace howdah::sample {

/// Counts of latencies in buckets a sixteenth of a power of two wide, from 1 microsecond to over an hour: any quantile is right
/// within 6.25 %. Fixed size, however long the run. Not thread-safe; merge the workers' at the end.
class Latencies {
public:
    void add(std::chrono::nanoseconds took);
    void merge(const Latencies& other);
    std::uint64_t count() const { return count_; }
    std::chrono::microseconds maximum() const { return maximum_; }
    /// The latency that share of all (0 to 1) did not exceed; zero when there are none.
    std::chrono::microseconds quantile(double share) const;

private:
    static constexpr unsigned kSteps = 16;
    std::array<std::uint64_t, 33 * kSteps> buckets_{};
    std::uint64_t count_ = 0;
    std::chrono::microseconds maximum_{};
};

}  // namespace howdah::sample
