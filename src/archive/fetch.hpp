#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/exit_codes.hpp"
#include "archive/wal_archive.hpp"
#include "base/cancellation.hpp"
#include "base/config.hpp"

namespace howdah::archive {

/// `wal fetch NAME DEST`, called by restore_command.
struct FetchOptions {
    std::string cluster;
    base::SystemIdentifier system;  ///< Of the data directory being recovered: never another cluster's WAL.
    std::string name;
    std::filesystem::path destination;  ///< Written beside it and renamed, so that a killed fetch leaves no short segment.
    std::filesystem::path look_ahead;   ///< Folder for segments fetched in advance; empty: none.
    unsigned ahead = 8;
    base::Duration wait = std::chrono::minutes(5);
    bool dry_run = false;  ///< Only say whether it is there: neither the destination nor the look-ahead folder is touched.
    bool standby = false;  ///< Only beside standby.signal: an outage answers "not now" (1) so that streaming may go on.
};

/// The exit code that PostgreSQL reads (DESIGN section 5; PostgreSQL's RestoreArchivedFile): 0 found; 1 only when the absence is proven;
/// 126 for everything else, after retrying outages for `wait`. Usage, configuration and key failures map to 126 as well (fetch_exit_code).
/// Absence is proven when the store says that there is no such object, and after that the repository's marker is still the one that was
/// opened, the cluster's area has something in it (a wrong cluster name is no end of WAL), and the object is still not there.
/// Look-ahead: after delivering a segment, a detached process fetches the following ones; a segment found there is authenticated and of
/// the same repository; a miss there never decides anything. `standby` counts only while standby.signal lies in the data directory.
/// Called by a process with one thread, because it forks.
/// Several repositories are asked in order. One that cannot be asked is passed over with a warning when another has the file; absence is
/// proven only when it is for each, where one that holds nothing of the cluster counts if another does.
FetchOutcome fetch(const std::vector<base::RepositoryConfig>& repositories, const FetchOptions& options,
                   const base::Cancellation& cancellation);

}  // namespace howdah::archive
