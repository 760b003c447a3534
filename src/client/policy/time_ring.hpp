#pragma once

#include <array>
#include <cstddef>

#include "howdah/moment.hpp"

namespace howdah::inline v0 {

/// Counts over a sliding window of ten buckets. `Counts` has += and -=. The good path is one comparison and one addition.
template <typename Counts>
class TimeRing {
public:
    static constexpr std::size_t kBuckets = 10;

    TimeRing(Duration window, Moment now) : width_(window / static_cast<Duration::rep>(kBuckets)), end_(now + width_) {}

    /// Forgets what is older than the window; before reading or adding. A moment of the past changes nothing.
    void roll(Moment now) noexcept {
        if (now < end_) return;
        const auto steps = (now - end_) / width_ + 1;
        if (steps >= static_cast<Duration::rep>(kBuckets)) {
            buckets_.fill({});
            total_ = {};
        } else {
            for (Duration::rep step = 0; step < steps; ++step) {
                present_ = (present_ + 1) % kBuckets;
                total_ -= buckets_[present_];
                buckets_[present_] = {};
            }
        }
        end_ += steps * width_;
    }
    void add(const Counts& counts) noexcept {
        buckets_[present_] += counts;
        total_ += counts;
    }
    /// One more of that member.
    template <auto kMember>
    void count() noexcept {
        ++(buckets_[present_].*kMember);
        ++(total_.*kMember);
    }
    void clear() noexcept {
        buckets_.fill({});
        total_ = {};
    }
    const Counts& total() const noexcept { return total_; }

private:
    // What each call touches comes first, side by side.
    Duration width_;
    Moment end_;
    std::size_t present_ = 0;
    Counts total_{};
    std::array<Counts, kBuckets> buckets_{};
};

}  // namespace howdah::inline v0
