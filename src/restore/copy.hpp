#pragma once

#include <cstdint>
#include <string>

#include "base/cancellation.hpp"
#include "base/progress.hpp"
#include "repository/backups.hpp"
#include "restore/target_directory.hpp"

namespace howdah::restore {

struct CopyResult {
    std::uint64_t files = 0;
    base::Bytes bytes;
    std::string control;  ///< The bytes of pg_control, which is not written by the copy.
};

/// Writes every file of the backup below its destinations: folders and links first, then each pack read once and its frames scattered by
/// workers who take packs from one counter, then sizes and modes. Configuration from outside is not written:
/// those entries are left to configuration.hpp. When it returns everything written is durable (one syncfs for each file system), and
/// global/pg_control is still missing, so that nothing can be started (trap T13).
CopyResult copy_out(const repository::Repository& repository, const repository::Backup& backup, const Destinations& destinations,
                    unsigned jobs, base::Progress& progress, const base::Cancellation& cancellation);

/// fsync of everything on the file systems of the destinations.
void sync_destinations(const Destinations& destinations);

}  // namespace howdah::restore
