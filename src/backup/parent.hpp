#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "backup/source.hpp"
#include "repository/backups.hpp"

namespace howdah::backup {

/// The backup on which an incremental builds, and its files by path.
struct Parent {
    repository::Backup backup;
    std::unordered_map<std::string, repository::FileEntry>
        files;  ///< Files only, their extents at hand; the key is the whole path, the entry's is empty.

    /// The newest backup whose audit found changes without WAL, if there was no full one since: the WAL is not to be believed.
    std::string alarm;

    /// The entry of a path; null when the parent has no such file.
    const repository::FileEntry* find(const std::string& path) const;
};

struct ParentChoice {
    std::optional<Parent> parent;
    std::string why_none;  ///< Why there is none: "there is no backup of this cluster yet".
};

/// Chooses the newest backup that can be built upon, or the one with that id (empty: any), and reads its manifest. It must be good, not
/// expired, and on the server's timeline or an ancestor that was not left before the backup's stop (trap T17); its page, segment and
/// checksum versions and its catalog must be the server's (trap T10), and gc must have none of its objects on its list. Called after the
/// cluster's lease was taken. A wished one that cannot be used is Failure(operation).
ParentChoice choose_parent(const repository::Repository& repository, const repository::ClusterArea& area, const Source& source,
                           base::Timeline timeline, const std::string& wished);

}  // namespace howdah::backup
