#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "archive/exit_codes.hpp"
#include "archive/pg_wal.hpp"
#include "archive/wal_archive.hpp"
#include "base/cancellation.hpp"
#include "base/config.hpp"

namespace howdah::archive {

/// `wal push PATH`, called by archive_command. Success means durable in the repository. A segment, a history file or a .backup file
/// (which is acknowledged and not kept: the root holds what it says). `.partial` files are stored under their own name, never as a segment.
struct PushOptions {
    std::string cluster;                     ///< Name in the configuration.
    std::filesystem::path path;              ///< As PostgreSQL gave it (%p), relative to the data directory or absolute.
    std::filesystem::path acknowledgements;  ///< Folder below the state directory; each cluster gets one of its own in it.
    unsigned ahead = 16;                     ///< Ready segments pushed beyond the named one, in order, by all cores.
    unsigned jobs = 0;
    int compression_level = 1;
    bool unfinished = false;          ///< Store a segment that its server will never finish, because that server is lost.
    bool replace_unfinished = false;  ///< Put the finished segment in place of a copy that was archived before it was finished.
};
struct PushResult {
    bool acknowledged = false;  ///< The named file was pushed by an earlier call.
    std::vector<std::string> pushed;
    base::Bytes bytes, stored;
};

/// A segment that its server has not finished is refused with Failure(operation): once archived, the finished one could not follow it.
/// Finished is what segment_complete says; archive_command's own calls have a .ready mark. With `unfinished` it is stored after all,
/// unless the server runs.
/// Order: history files before segments. A segment acknowledged by an earlier call (same repository id, inode, size and mtime) is trusted
/// without reading it while its object is there. Acknowledgements of files that are gone from archive_status/*.ready are removed. Failure of a file beyond the named
/// one is logged and left to its own call; no further file is begun after that, nor ten seconds after the start.
PushResult push(const repository::Repository& repository, const PushOptions& options, const base::Cancellation& cancellation);

/// The quick way, asked before the repository is unlocked: whether an earlier call pushed the named file to the repository that is at
/// that place now (its marker is read and the object looked for, no key is needed). False in any doubt, outages included: then push() decides.
bool take_acknowledgement(const base::RepositoryConfig& repository, const PushOptions& options);

/// Makes sure every segment from `first` to `last` is in the archive before it returns: those that are not yet are pushed from pg_wal by
/// this process (a segment that is complete: .ready or .done or older than the current one), without waiting for archive_command
/// (trap T15). One that is not complete is awaited for `wait`. Failure(operation) naming the first that is neither archived nor in pg_wal.
void ensure_archived(WalArchive& archive, const std::filesystem::path& data_directory, postgres::WalSegment first,
                     postgres::WalSegment last, std::uint64_t segment_size, int compression_level, unsigned jobs,
                     const base::Cancellation& cancellation, base::Duration wait = std::chrono::minutes(1));

}  // namespace howdah::archive
