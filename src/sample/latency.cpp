#include "sample/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace howdah::sample {

// Values below 16 have a bucket each; above, the top bit picks the group and the next four bits the bucket in it.
void Latencies::add(std::chrono::nanoseconds took) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took);
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(micros.count(), 0));
    const auto top = static_cast<unsigned>(std::bit_width(value));
    const auto index = top <= 4 ? value : (top - 4) * kSteps + ((value >> (top - 5)) & (kSteps - 1));
    ++buckets_[std::min<std::size_t>(index, buckets_.size() - 1)];
    ++count_;
    maximum_ = std::max(maximum_, micros);
}

void Latencies::merge(const Latencies& other) {
    for (std::size_t at = 0; at < buckets_.size(); ++at) buckets_[at] += other.buckets_[at];
    count_ += other.count_;
    maximum_ = std::max(maximum_, other.maximum_);
}

std::chrono::microseconds Latencies::quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at < buckets_.size(); ++at) {
        seen += buckets_[at];
        if (seen < wanted || buckets_[at] == 0) continue;
        const auto group = at / kSteps;
        const auto upper = group == 0 ? at : ((kSteps + at % kSteps + 1) << (group - 1)) - 1;
        return std::min(std::chrono::microseconds(static_cast<std::int64_t>(upper)), maximum_);
    }
    return std::chrono::microseconds{0};
}

}  // namespace howdah::sample
