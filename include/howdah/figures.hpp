#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "howdah/alert.hpp"
#include "howdah/breaker.hpp"
#include "howdah/classify.hpp"
#include "howdah/moment.hpp"
#include "howdah/pool.hpp"

namespace howdah::inline v0 {

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

/// What the monitor's rule did so far.
struct AlertFigures {
    std::string_view rule;
    Severity severity = Severity::warning;
    std::uint64_t raised = 0;
    bool active = false;
};

/// What a client did and has, read in one moment. Counts are since its beginning.
struct ClientFigures {
    PoolCounts pool;
    std::uint32_t pool_limit = 0;  ///< PoolOptions::max_connections.
    BreakerState breaker_state = BreakerState::closed;
    BreakerCounts breaker;
    std::int64_t failure_budget_left = 0;     ///< Thousandths of a retry.
    std::int64_t contention_budget_left = 0;  ///< Likewise.
    std::uint64_t retries_contention = 0;
    std::uint64_t retries_failure = 0;                 ///< All others.
    std::array<std::uint64_t, kRetryKinds> retries{};  ///< The same by Retry.
    std::uint64_t retries_refused = 0;                 ///< That a budget forbade.
    std::uint64_t bulkhead_rejected = 0;
    std::uint32_t bulkhead_inside = 0;  ///< Calls under way, waiting ones included; counted without a limit too.
    /// Calls that came out of the pool without a connection, by BorrowFailure; those that the breaker refused at the door are in
    /// `breaker.rejected` alone.
    std::array<std::uint64_t, kBorrowFailures> not_served{};
    std::uint64_t dials = 0;  ///< Of the pool, that gave a session.
    std::uint64_t dials_failed = 0;
    std::uint64_t sessions_lost = 0;  ///< That broke while they were used.
    std::uint64_t drained = 0;        ///< Sessions given up in the middle and read to their end.
    std::uint64_t drains_failed = 0;  ///< Likewise, and closed because that failed.
    std::uint64_t resets = 0;         ///< Dirty sessions, drained ones too, that were cleaned.
    std::uint64_t resets_failed = 0;
    std::uint64_t unknown_commits = 0;   ///< COMMITs whose answer was lost.
    std::uint64_t resolved_commits = 0;  ///< Of these the ones that were found out.
    std::uint64_t callback_failures = 0;
    std::uint64_t keeper_troubles = 0;  ///< Things that the keeper's thread did not expect, and survived.
    bool monitored = false;             ///< Without a monitor there are no pings and no alerts.
    std::uint64_t pings = 0;
    std::uint64_t ping_failures = 0;
    double last_ping_seconds = 0;
    double heartbeat_age_seconds = 0;  ///< Since the keeper's thread last came by.
    std::string oldest_lease_tag;      ///< Of the lease that is held longest now.
    double oldest_lease_seconds = 0;   ///< For how long.
    Histogram wait;                    ///< For a connection, of calls that stood in the queue, whether they were served or not.
    Histogram call;                    ///< From a connection's lease to its return.
    std::vector<AlertFigures> alerts;  ///< Of each rule.
};

}  // namespace howdah::inline v0
