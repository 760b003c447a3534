#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "archive/exit_codes.hpp"
#include "archive/pg_wal.hpp"
#include "archive/wal_archive.hpp"
#include "base/cancellation.hpp"
#include "base/config.hpp"

namespace howdah::archive {

/// `wal push PATH`, called by archive_command. Success means durable in the repository; with several, in at least one and in all that are
/// required, and noted durably for each that lacks it. A segment, a history file or a .backup file
/// (which is acknowledged and not kept: the root holds what it says). `.partial` files are stored under their own name, never as a segment.
struct PushOptions {
    std::string cluster;                               ///< Name in the configuration.
    std::filesystem::path path;                        ///< As PostgreSQL gave it (%p), relative to the data directory or absolute.
    std::filesystem::path acknowledgements;            ///< Folder below the state directory; each cluster gets one of its own in it.
    std::filesystem::path backlogs;                    ///< Another, for what repositories lack (RepositoryBacklog).
    std::vector<base::RepositoryConfig> repositories;  ///< At least one. One alone is required.
    std::vector<std::string> required;                 ///< Names of those that must have a file before it counts as archived.
    std::optional<base::Duration> backlog_limit;       ///< How long another may lack a file before it counts as required.
    unsigned ahead = 16;                               ///< Ready segments pushed beyond the named one, in order, by all cores.
    unsigned jobs = 0;
    int compression_level = 1;
    bool unfinished = false;          ///< Store a segment that its server will never finish, because that server is lost.
    bool replace_unfinished = false;  ///< Put the finished segment in place of a copy that was archived before it was finished.
};
struct PushResult {
    bool acknowledged = false;  ///< The named file was pushed by an earlier call.
    std::vector<std::string> pushed;
    std::size_t caught_up = 0;  ///< Files of earlier pushes brought to repositories that lacked them.
    base::Bytes bytes, stored;  ///< Stored: in all repositories together.
};

/// A segment that its server has not finished is refused with Failure(operation): once archived, the finished one could not follow it.
/// Finished is what segment_complete says; archive_command's own calls have a .ready mark. With `unfinished` it is stored after all,
/// unless the server runs.
/// Order: history files before segments. A segment acknowledged by an earlier call (same repository id, inode, size and mtime) is trusted
/// without reading it while its object is there. Acknowledgements of files that are gone from archive_status/*.ready are removed. Failure of a file beyond the named
/// one is logged and left to its own call; no further file is begun after that, nor ten seconds after the start.
PushResult push(const PushOptions& options, const base::Cancellation& cancellation);

/// The quick way, asked before a repository is unlocked: whether an earlier call pushed the named file to all repositories that are at
/// their places now (their markers are read and the objects looked for, no key is needed). False in any doubt, outages included: then
/// push() decides.
bool take_acknowledgement(const PushOptions& options);

/// Makes sure every segment from `first` to `last` is in the archive before it returns: those that are not yet are pushed from pg_wal by
/// this process (a segment that is complete: .ready or .done or older than the current one), without waiting for archive_command
/// (trap T15). One that is not complete is awaited for `wait`. One that is gone from pg_wal is asked of `elsewhere`, which brings it from another
/// repository or says that it cannot. Failure(operation) naming the first that is neither archived nor in pg_wal.
void ensure_archived(WalArchive& archive, const std::filesystem::path& data_directory, postgres::WalSegment first,
                     postgres::WalSegment last, std::uint64_t segment_size, int compression_level, unsigned jobs,
                     const base::Cancellation& cancellation, base::Duration wait = std::chrono::minutes(1),
                     const std::function<bool(const std::string& name)>& elsewhere = {});

}  // namespace howdah::archive
