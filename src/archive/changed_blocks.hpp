#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "archive/wal_archive.hpp"
#include "base/cancellation.hpp"
#include "postgres/block_changes.hpp"
#include "repository/names.hpp"

namespace howdah::archive {

/// A stretch of WAL on the way from an earlier backup to where the server is.
struct WalStretch {
    base::Timeline from_timeline;
    base::Lsn from;       ///< Redo point at which the earlier backup started.
    base::Lsn from_stop;  ///< Where that backup stopped: its timeline must not have been left before.
    base::Timeline to_timeline;
    base::Lsn to;  ///< Redo point of a checkpoint that the server has completed: a record begins there.
    std::uint64_t segment_size = 0;
};

struct ChangedBlocks {
    postgres::BlockChanges changes;
    std::uint64_t segments = 0;  ///< Looked at, as no summary of a longer stretch told of them.
};

struct ChangedBlocksOptions {
    int compression_level = 1;  ///< Of segments that are pushed on the way.
    unsigned jobs = 0;
};

/// Which blocks that stretch changes, from the merged summaries and the segments' block summaries of the archive. Segments on the newest timeline that are not archived yet are
/// pushed first, as ensure_archived does; the one in which `to` lies is read from pg_wal. WAL that is missing, unreachable or cannot be
/// understood is a doubt in the answer; only a repository that cannot be reached or is damaged, and a cancellation, are failures.
ChangedBlocks changed_blocks(WalArchive& archive, const std::filesystem::path& data_directory, const WalStretch& stretch,
                             const ChangedBlocksOptions& options, const base::Cancellation& cancellation);

struct Summarized {
    repository::SummaryName stretch;  ///< `from` equals `to` when there was nothing to do.
    std::uint64_t segments = 0;
    std::vector<std::string> doubts;  ///< Why nothing was written.
};
/// Writes the summary of what is archived since the newest stretch that begins at `from`, or at the end of one that does, up to the beginning of the
/// last archived segment, which closes the one before it. With `dry_run` it only looks.
Summarized summarize(WalArchive& archive, base::Timeline from_timeline, base::Lsn from, base::Lsn from_stop, std::uint64_t segment_size,
                     bool dry_run, const base::Cancellation& cancellation);

}  // namespace howdah::archive
