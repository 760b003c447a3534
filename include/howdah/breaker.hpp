#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "howdah/moment.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// The numbers are those of the metric db_circuit_breaker_state.
enum class BreakerState : std::uint8_t {
    closed = 0,         ///< Calls pass and vote.
    open = 1,           ///< Calls are rejected until the open time is over.
    half_open = 2,      ///< A few calls pass as probes, more with each step that goes well.
    disabled = 3,       ///< Calls pass, nobody votes.
    observe = 4,        ///< Calls pass and vote; what would have been rejected is counted.
    forced_open = 5,    ///< Calls are rejected until the mode is changed.
    forced_closed = 6,  ///< Calls pass and vote, the breaker stays closed.
};

enum class BreakerMode : std::uint8_t { automatic, disabled, observe, forced_open, forced_closed };

enum class BreakerReason : std::uint8_t {
    none,
    failure_share,
    slow_share,
    consecutive_failures,
    dial_failures,
    open_time_over,
    probe_failed,
    probe_slow,
    probe_overdue,  ///< A probe had not come back when the time of the half-open state was over.
    recovered,
    guard,  ///< The breaker itself rejected too large a share of the requests.
    mode_set,
    reset,
    server_back,  ///< The monitor got through again before the open time was over.
};

constexpr std::string_view name(BreakerState state) {
    constexpr std::array<std::string_view, 7> kNames{"closed", "open", "half_open", "disabled", "observe", "forced_open", "forced_closed"};
    return kNames[static_cast<std::size_t>(state)];
}

constexpr std::string_view name(BreakerMode mode) {
    constexpr std::array<std::string_view, 5> kNames{"automatic", "disabled", "observe", "forced_open", "forced_closed"};
    return kNames[static_cast<std::size_t>(mode)];
}

constexpr std::string_view name(BreakerReason reason) {
    constexpr std::array<std::string_view, 14> kNames{"none",          "failure_share",  "slow_share",   "consecutive_failures",
                                                      "dial_failures", "open_time_over", "probe_failed", "probe_slow",
                                                      "probe_overdue", "recovered",      "guard",        "mode_set",
                                                      "reset",         "server_back"};
    return kNames[static_cast<std::size_t>(reason)];
}

/// A change of state, for callbacks and logs. False when nothing changed.
struct BreakerTransition {
    BreakerState from = BreakerState::closed;
    BreakerState to = BreakerState::closed;
    BreakerReason reason = BreakerReason::none;

    explicit operator bool() const noexcept { return reason != BreakerReason::none; }
};

/// One breaker stands before one endpoint in one role.
struct BreakerOptions {
    BreakerMode mode = BreakerMode::automatic;
    /// The endpoint cannot be left: opening would make a partial failure total, so only dialling that fails opens it.
    bool sole_primary = false;

    Duration window = std::chrono::seconds(10);  ///< What votes are counted over, in ten buckets.
    std::uint32_t minimum_calls = 20;            ///< Shares say nothing below this many calls in the window.
    double failure_share = 0.5;                  ///< Of the calls in the window that voted.
    double slow_share = 0.8;
    Duration slow_after = std::chrono::seconds(2);  ///< A call is slow from then on, even while it is still under way.
    std::uint32_t consecutive_failures = 5;         ///< For quiet services. 0 switches this rule off.
    std::uint32_t dial_failures = 3;                ///< In a row. 0 switches this rule off.
    std::uint32_t terminations = 3;  ///< Sessions ended by an administrator count as failures from this many in the window on.

    Duration open_least = std::chrono::seconds(1);  ///< Doubled at each opening until calls pass again, with jitter.
    Duration open_most = std::chrono::seconds(30);
    Duration half_open_time = std::chrono::seconds(10);  ///< For each step; a probe not back by then has failed.
    std::uint32_t ramp_most = 8;                         ///< Probes in the last of the steps 1, 2, 4, ... before it closes.

    double guard_share = 0.05;          ///< Rejected of all requests; above it the breaker returns to observe. 1 switches it off.
    std::uint32_t guard_minimum = 100;  ///< Requests in the guard's window below which it says nothing.
    Duration guard_window = std::chrono::seconds(60);  ///< In ten buckets.

    std::uint32_t tracked_calls = 1024;  ///< Calls under way that are watched for slowness; more are judged when they return.
};

/// A named error (phase configure, cause usage) for values that make no sense.
Result<void> check(const BreakerOptions& options);

/// Figures for metrics. The first three are of the window, the rest since the beginning.
struct BreakerCounts {
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
    std::uint64_t slow = 0;
    std::uint64_t opened = 0;
    std::uint64_t rejected = 0;
    std::uint64_t would_have_rejected = 0;  ///< In mode observe.
    std::uint64_t probes_issued = 0;        ///< Always probes_returned + probes_written_off + probes_held.
    std::uint64_t probes_returned = 0;
    std::uint64_t probes_written_off = 0;  ///< Not back when their step ended.
    std::uint64_t probes_held = 0;
    std::uint64_t stale_results = 0;  ///< Results of an earlier state, not counted.
};

}  // namespace howdah::inline v0
