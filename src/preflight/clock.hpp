#pragma once

#include <string>

#include "base/units.hpp"
#include "preflight/finding.hpp"
#include "preflight/thresholds.hpp"

namespace howdah::preflight {

class Looker;

/// Another clock read between two readings of ours.
struct ClockReading {
    base::Timestamp before, other, after;
    /// How much the other clock is ahead of ours at least (negative: behind): a difference within the time of asking counts as none.
    base::Duration difference() const;
};
/// `whose`: "the server". The finding is `clock_CHECK`.
Finding judge_clock(const std::string& check, const std::string& whose, const ClockReading& reading, const Thresholds& thresholds);

void look_at_clocks(Looker& looker);

}  // namespace howdah::preflight
