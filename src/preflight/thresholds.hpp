#pragma once

#include <chrono>
#include <cstdint>

#include "base/units.hpp"

namespace howdah::preflight {

/// Where a value becomes a finding. The defaults are the production checklists' figures where these name one.
struct Thresholds {
    base::Duration long_transaction = std::chrono::minutes(5);
    base::Duration very_long_transaction = std::chrono::hours(1);
    double connections_busy = 0.80;
    double connections_exhausted = 0.95;
    double index_space = 0.15;     ///< Free space for building indexes, as a share of the data.
    double rewrite_space = 0.50;   ///< Free space for rewriting tables, as a share of the data.
    double full_disk = 0.15;       ///< Free share of a file system below which it is soon full...
    double very_full_disk = 0.05;  ///< ...and nearly full.
    base::Duration archive_timeout = std::chrono::seconds(300);
    base::Duration replica_lag = std::chrono::seconds(1);
    base::Duration long_replica_lag = std::chrono::minutes(5);
    base::Duration clock_difference = std::chrono::seconds(1);
    base::Duration wrong_clock = std::chrono::minutes(5);
    std::int64_t dead_rows = 10'000;     ///< Of one table, and more than a fifth of its live rows.
    std::int64_t old_xid = 500'000'000;  ///< Age of a database; wraparound stops writes at about 2,146,000,000.
    std::int64_t very_old_xid = 1'200'000'000;
};

}  // namespace howdah::preflight
