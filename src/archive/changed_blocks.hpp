#pragma once

#include <cstdint>
#include <filesystem>

#include "archive/wal_archive.hpp"
#include "base/cancellation.hpp"
#include "postgres/block_changes.hpp"

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
    std::uint64_t segments = 0;  ///< Looked at.
};

struct ChangedBlocksOptions {
    int compression_level = 1;  ///< Of segments that are pushed on the way.
    unsigned jobs = 0;
};

/// Which blocks that stretch changes, from the block summaries of the archive. Segments on the newest timeline that are not archived yet are
/// pushed first, as ensure_archived does; the one in which `to` lies is read from pg_wal. WAL that is missing, unreachable or cannot be
/// understood is a doubt in the answer; only a repository that cannot be reached or is damaged, and a cancellation, are failures.
ChangedBlocks changed_blocks(WalArchive& archive, const std::filesystem::path& data_directory, const WalStretch& stretch,
                             const ChangedBlocksOptions& options, const base::Cancellation& cancellation);

}  // namespace howdah::archive
