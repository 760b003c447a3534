#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "howdah/moment.hpp"
#include "howdah/result.hpp"
#include "howdah/retry.hpp"

namespace howdah::inline v0 {

/// The pool of one endpoint.
struct PoolOptions {
    std::uint32_t max_connections = 10;  ///< The server never sees more sessions than this, whatever state they are in.
    std::uint32_t min_idle = 0;          ///< Kept ready in the background.
    std::uint32_t max_waiters = 200;
    std::uint32_t dials_at_once = 4;  ///< While the endpoint answers; 1 while it fails.

    Duration lifetime = std::chrono::minutes(30);
    double lifetime_jitter = 0.1;                   ///< Each connection's lifetime is drawn from 1 - this to 1 + this times the lifetime.
    Duration idle_time = std::chrono::minutes(10);  ///< Idle ones above min_idle are closed after this.
    Duration poll_after = std::chrono::milliseconds(500);  ///< Idle for longer: look for an end of the stream before use.
    Duration ping_after = std::chrono::seconds(30);        ///< Idle for longer: ask the server before use.

    Duration dial_time = std::chrono::seconds(10);   ///< The pool's own deadline for a dial; no caller's deadline ends one.
    Duration reset_time = std::chrono::seconds(5);   ///< For resetting a dirty session.
    Duration drain_time = std::chrono::seconds(10);  ///< For reading a cancelled connection to its end.
    Duration cancel_time = std::chrono::seconds(2);  ///< Between cancelling what still runs and dropping it, when the pool is closed.
    BackoffOptions dial_backoff = kDialBackoff;
};

/// A named error (phase configure, cause usage) for values that make no sense.
Result<void> check(const PoolOptions& options);

/// Why no connection was to be had.
enum class BorrowFailure : std::uint8_t {
    all_busy,      ///< Every connection the cap allows is in use.
    dialling,      ///< There is room for more, but dialling fails or does not come through.
    breaker_open,  ///< The breaker rejects calls.
    queue_full,    ///< As many wait already as may.
    closing,       ///< The pool is being closed.
    forked,        ///< The process is a child of the one the pool belongs to.
};

inline constexpr std::size_t kBorrowFailures = 6;

constexpr std::string_view name(BorrowFailure failure) {
    constexpr std::array<std::string_view, kBorrowFailures> kNames{"all_busy",   "dialling", "breaker_open",
                                                                   "queue_full", "closing",  "forked"};
    return kNames[static_cast<std::size_t>(failure)];
}

/// For the metric db_connection_pool_size: `open` is the sum of the states that have a session, `busy` is its state "inuse".
struct PoolCounts {
    std::uint32_t idle = 0;
    std::uint32_t busy = 0;
    std::uint32_t dialling = 0;
    std::uint32_t resetting = 0;
    std::uint32_t draining = 0;
    std::uint32_t closing = 0;
    std::uint32_t waiting = 0;
    std::uint64_t misused = 0;  ///< Calls with a handle that was not the caller's any more, since the beginning.

    constexpr std::uint32_t occupied() const noexcept { return idle + busy + dialling + resetting + draining + closing; }
    constexpr std::uint32_t open() const noexcept { return occupied() - dialling; }
};

/// What closing a pool came to.
struct CloseReport {
    std::uint32_t idle_closed = 0;
    std::uint32_t returned = 0;               ///< Leases given back before the deadline.
    std::uint32_t returned_after_cancel = 0;  ///< Leases given back only when their statements were cancelled.
    std::uint32_t dropped = 0;                ///< Leases that never came back.
    std::uint32_t waiters_refused = 0;
    std::uint32_t dials_abandoned = 0;
    std::string_view oldest_dropped;  ///< The tag of the dropped lease that was held longest.
};

}  // namespace howdah::inline v0
