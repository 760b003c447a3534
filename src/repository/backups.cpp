#include "repository/backups.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.hpp"
#include "base/log.hpp"
#include "repository/damage.hpp"
#include "repository/object.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

/// A root's document into `backup`; what is wrong with it otherwise.
void read_root(const Repository& repository, const std::string& id, Backup& backup) {
    const std::string name = backup.area.root(id);
    backup.root.id = id;
    backup.root.cluster = backup.area.cluster();
    backup.root.system_identifier = backup.area.system();
    // Looked at twice: whoever publishes after it leaves a damaged root out of the chain.
    for (int look = 0; look < 2 && backup.hash.empty(); ++look) try {
            const auto document = read_document(repository.store(), repository.key(), Kind::root, name);
            if (!document) throw_damaged(name, "it is missing");
            const Root root = decode_root(*document, name);
            if (root.id != id) throw_damaged(name, fmt::format("it is the root of {}", root.id));
            backup.root = root;
            backup.hash = repository.key().document_hash(Kind::root, *document);
        } catch (const Failure& failure) {
            if (failure.kind() != FailureKind::operation) throw;
            backup.damage = failure.what();
        }
    if (!backup.hash.empty()) backup.damage.clear();
}

std::vector<Event> events_if_readable(const Repository& repository, const ClusterArea& area) {
    try {
        return read_events(repository, area);
    } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::operation) throw;
        base::log_warning("pins, notes and expiries of cluster {} cannot be read: {}", area.cluster(), failure.what());
        return {};
    }
}

std::vector<Backup> list_area(const Repository& repository, const ClusterArea& area) {
    std::vector<Backup> backups;
    const std::string prefix = area.root("");
    repository.store().list(prefix, [&](const storage::Listed& listed) {
        backups.push_back({.area = area, .root = {}, .hash = {}, .damage = {}, .expired = false, .events = {}});
        read_root(repository, listed.name.substr(prefix.size()), backups.back());
    });
    if (backups.empty()) return backups;
    for (const Event& event : events_if_readable(repository, area)) {
        for (Backup& backup : backups) {
            if (event.type != "repair" && event.backup_id != backup.root.id) continue;
            backup.events.push_back(event);
            if (event.type == "expire") backup.expired = true;
        }
    }
    for (Backup& backup : backups)
        if (backup.expired) backup.expired = !is_pinned(backup.events, backup.root.id, repository.store().now());
    return backups;
}

/// Lets a published backup expire that cannot be trusted; gc takes it away like any other.
void withdraw(const Repository& repository, const ClusterArea& area, const std::string& id) {
    Event event;
    event.type = "expire";
    event.backup_id = id;
    event.text = "published after its run had lost the lease";
    try {
        append_event(repository, area, event);
        base::log_error("backup {} was published after its run had lost the lease: it has expired", id);
    } catch (const Failure& failure) {
        base::log_error("backup {} was published after its run had lost the lease and cannot be trusted; it could not be expired: {}", id,
                        failure.what());
    }
}

auto order_of(const Backup& backup) {
    return std::tuple(backup.root.cluster, backup.area.system(), backup.root.timeline, backup.root.start, backup.root.id);
}

}  // namespace

std::vector<Backup> list_backups(const Repository& repository, const std::string& cluster, bool with_expired) {
    std::vector<Backup> backups;
    for (const ClusterArea& area : repository.areas()) {
        if (!cluster.empty() && area.cluster() != cluster) continue;
        for (Backup& backup : list_area(repository, area))
            if (with_expired || !backup.expired) backups.push_back(std::move(backup));
    }
    std::ranges::sort(backups, {}, order_of);
    return backups;
}

Backup find_backup(const Repository& repository, const std::string& cluster, const std::string& id) {
    std::vector<Backup> backups = list_backups(repository, cluster);
    std::vector<Backup*> matches;
    std::string names;
    for (Backup& backup : backups) {
        if (backup.root.id == id) return backup;
        if (!id.empty() && backup.root.id.find(id) != std::string::npos) matches.push_back(&backup);
        names += (names.empty() ? "" : ", ") + backup.root.id;
    }
    if (matches.size() == 1) return *matches.front();
    const std::string hint = names.empty() ? "make one with howdah backup run" : "there are: " + names;
    if (matches.empty())
        throw Failure(FailureKind::operation, fmt::format("there is no backup {} in repository {}", id, repository.name()), hint);
    throw Failure(FailureKind::operation, fmt::format("{} backups have {} in their id", matches.size(), id), hint);
}

void publish_backup(const Repository& repository, const ClusterArea& area, Root root, const std::function<void()>& confirm_lease) {
    const std::vector<Backup> backups = list_backups(repository, area.cluster(), true);
    for (const Backup& backup : backups) {
        if (backup.area.system() != area.system() || !backup.damage.empty()) continue;
        root.previous_id = backup.root.id;
        root.previous_hash = backup.hash;
    }
    const std::string name = area.root(root.id);
    const std::string document = encode_root(root);
    const auto writer = prepare_document(repository.store(), repository.key(), Kind::root, name, document);
    base::fault_point("repository.before_root");
    base::pause_point("repository.before_root", name);
    confirm_lease();
    base::pause_point("repository.root_confirmed", name);
    if (writer->commit() == storage::Created::exists)
        throw Failure(FailureKind::operation, fmt::format("backup exists already: {}", root.id),
                      "run the backup again; it gets another id");
    base::fault_point("repository.after_root");
    try {
        confirm_lease();
    } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::locked) throw;
        withdraw(repository, area, root.id);
        throw;
    }
}

Tree read_tree(const Repository& repository, const ClusterArea& area, const std::string& name) {
    const std::string object = area.tree(name);
    const auto document = read_document(repository.store(), repository.key(), Kind::tree, object);
    if (!document) throw_damaged(object, "it is missing");
    return decode_tree(*document, object);
}

std::vector<Extent> read_extents(const Repository& repository, const ClusterArea& area, const FileEntry& entry) {
    if (entry.map.empty()) return entry.extents;
    const std::string object = area.map(entry.map);
    const auto document = read_document(repository.store(), repository.key(), Kind::map, object);
    if (!document) throw_damaged(object, "it is missing");
    std::vector<Extent> extents = decode_map(*document, object);
    std::uint64_t covered = 0;
    for (const Extent& extent : extents) covered += extent.length;
    if (covered != entry.size) throw_damaged(object, fmt::format("it covers {} bytes of a file of {}", covered, entry.size));
    return extents;
}

}  // namespace howdah::repository
