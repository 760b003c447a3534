#include "client/policy/option_check.hpp"
#include "howdah/breaker.hpp"
#include "howdah/monitor.hpp"
#include "howdah/pool.hpp"
#include "howdah/retry.hpp"

namespace howdah::inline v0 {

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

Result<void> check(const PoolOptions& options) {
    if (auto backoff = check(options.dial_backoff); !backoff) return backoff;
    return OptionCheck("pool")
        .within("max_connections", options.max_connections, 1, 10'000)
        .within("min_idle", options.min_idle, 0, 10'000)
        .ordered("min_idle", options.min_idle <= options.max_connections, "max_connections")
        .within("max_waiters", options.max_waiters, 0, kMostCalls)
        .within("dials_at_once", options.dials_at_once, 1, 1000)
        .within("lifetime", options.lifetime, milliseconds(1), hours(24 * 365))
        .within("lifetime_jitter", options.lifetime_jitter, 0, 0.9)
        .within("idle_time", options.idle_time, milliseconds(1), hours(24 * 365))
        .within("poll_after", options.poll_after, Duration::zero(), hours(24 * 365))
        .within("ping_after", options.ping_after, Duration::zero(), hours(24 * 365))
        .within("dial_time", options.dial_time, milliseconds(1), hours(24))
        .within("reset_time", options.reset_time, milliseconds(1), hours(24))
        .within("drain_time", options.drain_time, milliseconds(1), hours(24))
        .within("cancel_time", options.cancel_time, Duration::zero(), hours(24))
        .result();
}

Result<void> check(const MonitorOptions& options) {
    for (const AlertRule& rule : options.rules) {
        if (auto checked = check(rule); !checked) return checked;
    }
    return OptionCheck("monitor")
        .within("interval", options.interval, milliseconds(10), hours(24))
        .within("patience", options.patience, milliseconds(10), hours(24))
        .within("figures_every", options.figures_every, milliseconds(10), hours(24))
        .result();
}

}  // namespace howdah::inline v0
