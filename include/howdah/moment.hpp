#pragma once

#include <chrono>

namespace howdah::inline v0 {

/// A point on the steady clock, which never goes back, and a length of time on it. Policies read no clock: they are told the moment.
using Moment = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// Never: a deadline that does not come.
inline constexpr Moment kNever = Moment::max();

/// `from + length`, or never where that is beyond the clock.
constexpr Moment after(Moment from, Duration length) noexcept { return length >= kNever - from ? kNever : from + length; }

}  // namespace howdah::inline v0
