#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/units.hpp"
#include "repository/backups.hpp"

namespace howdah::backup {

/// Whether a cluster is protected as its objectives say, looked at from the repository and, when its data directory is here, from pg_wal.
struct Status {
    std::optional<repository::Backup> newest;      ///< The newest sound backup.
    std::optional<base::Duration> age;             ///< Of its stop, by the store's clock.
    std::optional<base::Timestamp> recoverable_to; ///< Last commit time in the archived WAL of its path.
    std::optional<base::Duration> wal_age;         ///< Since the newest archived segment came.
    std::optional<std::uint64_t> ready;            ///< Segments waiting in pg_wal (.ready); none when pg_wal cannot be seen.
    std::optional<base::Duration> oldest_ready;
    std::optional<base::Bytes> wal_space;          ///< Free on pg_wal's disk.
    std::optional<base::Duration> wal_space_lasts; ///< At the rate of the WAL now waiting.
    std::vector<std::string> gaps;                 ///< "between … and …".
    std::vector<std::string> broken;               ///< Each objective that does not hold, as a sentence. Empty: all is well.
};

Status look_at_status(const repository::Repository& repository, const base::ClusterConfig& cluster, const base::Config& config);

}  // namespace howdah::backup
