#pragma once

#include <functional>
#include <optional>
#include <string>

#include "backup/source.hpp"
#include "repository/backups.hpp"

namespace howdah::backup {

struct ParentChoice {
    std::optional<repository::Backup> parent;  ///< The backup on which an incremental builds.
    /// The newest backup whose audit found changes without WAL, if there was no full one since: the WAL is not to be believed.
    std::string alarm;
    std::string why_none;  ///< Why there is none: "there is no backup of this cluster yet".
};

/// Chooses the newest backup that can be built upon, or the one with that id (empty: any). It must be good, not
/// expired, and on the server's timeline or an ancestor that was not left before the backup's stop (trap T17); its page, segment and
/// checksum versions and its catalog must be the server's (trap T10), and gc must have none of its objects on its list. Called after the
/// cluster's lease was taken. A wished one that cannot be used is Failure(operation).
ParentChoice choose_parent(const repository::Repository& repository, const repository::ClusterArea& area, const Source& source,
                           base::Timeline timeline, const std::string& wished);

/// Hands out a backup's files, their extents at hand, each with its whole path. One tree is in memory at a time, and paths rise within it.
void read_files(const repository::Repository& repository, const repository::Backup& backup,
                const std::function<void(const std::string& path, repository::FileEntry& entry)>& visit);

}  // namespace howdah::backup
