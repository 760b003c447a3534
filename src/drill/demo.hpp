#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/units.hpp"
#include "drill/truth.hpp"

namespace howdah::drill {

struct DemoOptions {
    double scale = 0.2;
    std::uint32_t seed = 1;
};

/// Told as the demo goes: `begin` names a step, `end` says in one line what came of it.
struct DemoListener {
    std::function<void(const std::string& step)> begin = [](const std::string&) {};
    std::function<void(const std::string& outcome)> end = [](const std::string&) {};
};

struct DemoReport {
    bool ok = false;  ///< Every table compared and equal.
    int server_version = 0;
    double scale = 0;
    std::size_t tables = 0;
    base::Bytes database_bytes;
    double load_seconds = 0;

    struct {
        std::string id;
        base::Bytes bytes, stored_bytes;
        double seconds = 0;
        std::uint64_t files = 0, bad_pages = 0;
        std::uint64_t statements_meanwhile = 0;  ///< Of the workload, while the backup ran.
    } backup;
    struct {
        std::uint64_t segments = 0;  ///< Archived in all.
        base::Bytes bytes, stored_bytes;
    } wal;
    struct {
        base::Timestamp at;  ///< When the careless transaction committed, by the server's clock.
        std::int64_t rows_deleted = 0;
        std::string dropped_table;
    } accident;
    struct {
        base::Timestamp target;
        std::size_t tables_compared = 0, tables_equal = 0;
        std::int64_t rows_compared = 0;
        double copy_seconds = 0, recovery_seconds = 0;
        std::vector<TableDifference> differences;
    } restore;
    std::uint64_t workload_statements = 0, workload_errors = 0;
    double rto_seconds = 0;       ///< From the decision to restore to a promoted server.
    double rpo_seconds = 0;       ///< Accident minus the last recovered commit.
    double rpo_loss_seconds = 0;  ///< The same, had the host been lost at the accident: up to the last commit that was in the repository.
};

/// The main job on a private server, from nothing to a proven restore: load the marketplace, take a full backup under load, archive WAL,
/// have an accident, restore to the second before it in a sandbox, compare every table with the truth recorded at that moment.
/// Everything lives in a private folder below TMPDIR and ends with this process, even by kill -9. Failures are those of the steps.
/// Not for root: PostgreSQL refuses to run as root (the command line becomes the server's user first).
DemoReport run_demo(const DemoOptions& options, const DemoListener& listener, const base::Cancellation& cancellation);

}  // namespace howdah::drill
