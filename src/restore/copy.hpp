#pragma once

#include <cstdint>
#include <string>

#include "base/cancellation.hpp"
#include "base/progress.hpp"
#include "base/rate_limit.hpp"
#include "repository/backups.hpp"
#include "restore/layout.hpp"
#include "restore/target_directory.hpp"

namespace howdah::restore {

struct CopyResult {
    std::uint64_t files = 0;
    base::Bytes bytes;
    std::string control;        ///< The bytes of pg_control, which is not written by the copy.
    base::Bytes compared;       ///< Bytes of files that were there and were compared.
    base::Bytes rewritten;      ///< Bytes written, pg_control's not counted.
    base::Bytes fetched;        ///< Stored bytes of data frames read for them.
    std::uint64_t removed = 0;  ///< Files and links that the backup does not have.
    std::vector<std::string> notes;
};

struct CopyOptions {
    bool filled = false;  ///< The destinations hold files: they are compared, and what does not belong there is removed.
    unsigned jobs = 1;
    base::RateLimit& limit;
    base::Progress& progress;
    const base::Cancellation& cancellation;
};

/// Makes the destinations hold every file of the backup, and no other: folders and links first, then each file's bytes by all workers
/// (scatter.hpp), then sizes and modes. Configuration from outside is not written: those entries are left to configuration.hpp. When it
/// returns everything written is durable (one syncfs for each file system), and global/pg_control is missing, so that nothing can be started
/// (trap T13): where there was one it goes before anything else is changed.
CopyResult copy_out(const repository::Repository& repository, const repository::Backup& backup, const Destinations& destinations,
                    Layout layout, const CopyOptions& options);

/// fsync of everything on the file systems of the destinations.
void sync_destinations(const Destinations& destinations);

}  // namespace howdah::restore
