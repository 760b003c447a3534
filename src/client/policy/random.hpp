#pragma once

#include <cstdint>

#include "howdah/moment.hpp"

namespace howdah::inline v0 {

/// The injected source of jitter: SplitMix64 (Steele, Lea, Flood 2014), eight bytes of state, equal seeds give equal runs. Not for
/// secrets.
class Random {
public:
    explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }

    /// Evenly from [0, bound); the bias of a bound far below 2^32 is beyond notice. 0 for a bound of 0.
    constexpr std::uint32_t below(std::uint32_t bound) noexcept { return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U); }

    /// Evenly from [low, high], to the microsecond or finer; `low` when high is not above it.
    constexpr Duration between(Duration low, Duration high) noexcept {
        if (high <= low) return low;
        const double share = static_cast<double>(next() >> 11U) * 0x1.0p-53;
        return low + Duration(static_cast<Duration::rep>(share * static_cast<double>((high - low).count() + 1)));
    }

private:
    std::uint64_t state_;
};

}  // namespace howdah::inline v0
