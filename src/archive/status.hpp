#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/coverage.hpp"
#include "archive/wal_archive.hpp"
#include "base/cancellation.hpp"
#include "base/file.hpp"
#include "postgres/session.hpp"

namespace howdah::archive {

/// What waits on the server to be archived.
struct Backlog {
    std::uint64_t ready = 0;                   ///< Files marked .ready.
    std::optional<base::Duration> oldest_age;  ///< Of the oldest mark, by this host's clock.
    std::string oldest;                        ///< The file that the server archives next; empty when none waits.
};
Backlog read_backlog(const std::filesystem::path& data_directory);

inline constexpr std::chrono::minutes kForecastBasis{10};

/// How archiving does: `wal status`, and the WAL part of `backup status` and `check`.
struct WalStatus {
    std::optional<Backlog> backlog;            ///< None when the data directory cannot be read.
    std::optional<std::string> last_archived;  ///< By pg_stat_archiver.
    std::optional<base::Timestamp> last_archived_time;
    std::uint64_t failures = 0;
    std::optional<std::string> last_failed;
    bool archiver_fails = false;   ///< The last attempt failed, or the oldest waiting file is the one that failed last.
    std::string not_archiving;     ///< Why the server archives nothing, or will not after a restart; empty when it does.
    std::vector<WalRange> ranges;  ///< In the repository.
    std::vector<WalGap> gaps;
    std::uint64_t segment_size = 0;
    base::Lsn current;            ///< Written by the server.
    base::Lsn archived_to;        ///< End of what is archived without a gap on the server's timeline.
    base::Bytes lag;              ///< Between the two: what a loss of the host now would cost.
    double bytes_per_second = 0;  ///< Of WAL: the larger of what was written during `sample` and the mean since the statistics began.
    /// The larger of two means, each over kForecastBasis at least, since seconds say nothing about hours: of bytes per second since the
    /// statistics began, and since the oldest waiting file was finished. None when neither is old enough.
    std::optional<double> lasting_rate;
    std::optional<base::Space> wal_disk;       ///< File system of pg_wal.
    std::optional<base::Duration> until_full;  ///< At the lasting rate, were nothing archived from now on.
};

/// Asks the server (none: what can be told without it), the repository and the data directory (empty: asked of neither).
WalStatus read_wal_status(postgres::Session* session, const WalArchive& archive, const std::filesystem::path& data_directory,
                          std::chrono::milliseconds sample, const base::Cancellation& cancellation);

}  // namespace howdah::archive
