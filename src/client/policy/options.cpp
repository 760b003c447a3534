#include "client/policy/option_check.hpp"
#include "howdah/breaker.hpp"
#include "howdah/retry.hpp"

namespace howdah {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// Shares of nothing would always be reached.
constexpr double kLeastShare = 0.001;
constexpr double kMostCalls = 1e6;

}  // namespace

Result<void> check(const BackoffOptions& options) {
    return OptionCheck("backoff")
        .within("base", options.base, microseconds(1), hours(1))
        .within("cap", options.cap, microseconds(1), hours(1))
        .ordered("base", options.base <= options.cap, "cap")
        .result();
}

Result<void> check(const RetryBudgetOptions& options) {
    // Amounts are multiplied by a million and more inside; the bounds keep that within 64 bits.
    constexpr double kMost = 1e8;
    return OptionCheck("retry_budget")
        .within("earned_per_call", static_cast<double>(options.earned_per_call), 0, kMost)
        .within("cost", static_cast<double>(options.cost), 1, kMost)
        .within("cost_after_timeout", static_cast<double>(options.cost_after_timeout), 1, kMost)
        .within("floor_per_second", static_cast<double>(options.floor_per_second), 0, 1e6)
        .within("cap", static_cast<double>(options.cap), 0, kMost)
        .ordered("floor_per_second", options.floor_per_second <= options.cap, "cap")
        .result();
}

Result<void> check(const BreakerOptions& options) {
    return OptionCheck("breaker")
        .within("window", options.window, milliseconds(10), hours(24))
        .within("minimum_calls", options.minimum_calls, 1, kMostCalls)
        .within("failure_share", options.failure_share, kLeastShare, 1)
        .within("slow_share", options.slow_share, kLeastShare, 1)
        .within("slow_after", options.slow_after, microseconds(1), hours(24))
        .within("consecutive_failures", options.consecutive_failures, 0, kMostCalls)
        .within("dial_failures", options.dial_failures, 0, kMostCalls)
        .within("terminations", options.terminations, 1, kMostCalls)
        .within("open_least", options.open_least, milliseconds(1), hours(24))
        .within("open_most", options.open_most, milliseconds(1), hours(24))
        .ordered("open_least", options.open_least <= options.open_most, "open_most")
        .within("half_open_time", options.half_open_time, milliseconds(1), hours(24))
        .within("ramp_most", options.ramp_most, 1, kMostCalls)
        .within("guard_share", options.guard_share, 0, 1)
        .within("guard_minimum", options.guard_minimum, 1, 1e9)
        .within("guard_window", options.guard_window, milliseconds(10), hours(24))
        .within("tracked_calls", options.tracked_calls, 0, kMostCalls)
        .result();
}

}  // namespace howdah
