#pragma once

#include <optional>
#include <string>
#include <vector>

#include "archive/status.hpp"
#include "base/cancellation.hpp"
#include "base/config.hpp"
#include "base/units.hpp"
#include "repository/backups.hpp"

namespace howdah::backup {

/// Whether a cluster is protected as its objectives say, looked at from the repository and, as far as they can be reached, the server
/// and its data directory.
struct Status {
    std::optional<repository::Backup> newest;       ///< The newest sound backup of the cluster.
    std::optional<base::Duration> age;              ///< Since its stop, by the store's clock.
    std::optional<base::Timestamp> recoverable_to;  ///< Last commit in the archived WAL that the newest backup reaches.
    archive::WalStatus wal;
    bool server_reached = false;
    std::string server_failure;       ///< Why not.
    std::vector<std::string> broken;  ///< Each objective that does not hold, as a sentence. Empty: all is well.
};

/// Objectives: the server archives and will after a restart, its last attempt did not fail, a backup younger than objective.backup_age, no segment waiting longer than objective.rpo, no gap between the newest backup
/// and the end of the archive, more than a day until the WAL disk is full at the present rate.
Status look_at_status(const repository::Repository& repository, const base::ClusterConfig& cluster, const base::Config& config,
                      const base::Cancellation& cancellation);

}  // namespace howdah::backup
