#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "repository/event.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// A listed backup. A root that cannot be read is listed too, with `damage`, and never chosen.
struct Backup {
    ClusterArea area;
    Root root;
    std::string hash;  ///< Keyed hash of the root's document.
    std::string damage;
    bool expired = false;  ///< By an event, and no pin is in force.
    std::vector<Event> events;
};

/// Backups of a cluster name (all of them when empty) over all its system identifiers, by system identifier, timeline and start LSN.
/// Expired ones are left out unless asked for.
std::vector<Backup> list_backups(const Repository& repository, const std::string& cluster = {}, bool with_expired = false);
/// The backup with that id or unambiguous part of it; Failure(operation) naming the ids there are.
Backup find_backup(const Repository& repository, const std::string& cluster, const std::string& id);

/// Publishes a root: from here on the backup exists. Fills previous_id and previous_hash, refuses if it exists. The lease is confirmed
/// just before and once more after it: a run that was suspended in between and lost it lets the backup expire and fails, as what
/// the backup needs may have been taken for garbage meanwhile.
void publish_backup(const Repository& repository, const ClusterArea& area, Root root, const std::function<void()>& confirm_lease);

Tree read_tree(const Repository& repository, const ClusterArea& area, const std::string& name);
/// The extents of a file, from its entry or its map object.
std::vector<Extent> read_extents(const Repository& repository, const ClusterArea& area, const FileEntry& entry);

}  // namespace howdah::repository
