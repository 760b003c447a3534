#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "howdah/breaker.hpp"
#include "howdah/moment.hpp"
#include "howdah/pool.hpp"

namespace howdah {

/// How long things took, counted in buckets that double: up to 1 µs, 2 µs, 4 µs, ... 2^24 µs (16.8 s), and beyond. Fixed size; adding
/// is a handful of instructions. Not thread-safe.
struct Histogram {
    static constexpr std::size_t kBuckets = 26;
    std::array<std::uint64_t, kBuckets> counts{};
    std::uint64_t count = 0;
    std::int64_t sum_ns = 0;

    void add(Duration taken) noexcept {
        const std::int64_t ns = taken.count() > 0 ? taken.count() : 0;
        const auto above = static_cast<std::uint64_t>((ns + 999) / 1000);
        const std::size_t bucket = above <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(above - 1));
        ++counts[bucket < kBuckets ? bucket : kBuckets - 1];
        ++count;
        sum_ns += ns;
    }
    /// Upper bound of a bucket in seconds; the last has none.
    static constexpr double bound(std::size_t bucket) noexcept { return static_cast<double>(std::uint64_t{1} << bucket) * 1e-6; }
};

/// What a client did and has, read in one moment. Counts are since its beginning.
struct ClientFigures {
    PoolCounts pool;
    BreakerState breaker_state = BreakerState::closed;
    BreakerCounts breaker;
    std::int64_t failure_budget_left = 0;     ///< Thousandths of a retry.
    std::int64_t contention_budget_left = 0;  ///< Likewise.
    std::uint64_t retries_contention = 0;
    std::uint64_t retries_failure = 0;
    std::uint64_t retries_refused = 0;  ///< That a budget forbade.
    std::uint64_t bulkhead_rejected = 0;
    std::uint64_t unknown_commits = 0;   ///< COMMITs whose answer was lost.
    std::uint64_t resolved_commits = 0;  ///< Of these the ones that were found out.
    std::uint64_t callback_failures = 0;
    std::uint64_t pings = 0;
    std::uint64_t ping_failures = 0;
    double last_ping_seconds = 0;
    double heartbeat_age_seconds = 0;  ///< Since the keeper's thread last came by.
    std::string oldest_lease_tag;      ///< Of the lease that is held longest now.
    double oldest_lease_seconds = 0;   ///< For how long.
    Histogram wait;                    ///< For a connection, of calls that stood in the queue.
    Histogram call;                    ///< From a connection's lease to its return.
};

}  // namespace howdah
