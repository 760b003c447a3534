#include "client/policy/option_check.hpp"
#include "howdah/retry.hpp"

namespace howdah {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;

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

}  // namespace howdah
