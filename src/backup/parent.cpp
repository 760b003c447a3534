#include "backup/parent.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "archive/wal_archive.hpp"
#include "base/hooks.hpp"
#include "postgres/wal_reader.hpp"
#include "repository/gc.hpp"
#include "repository/pack_generations.hpp"

namespace howdah::backup {

namespace {

using repository::FileEntry;
using repository::Root;

/// The way from the first timeline to this one; empty when its history is not archived.
std::vector<postgres::TimelineHistoryEntry> history_of(const archive::WalArchive& wal, base::Timeline timeline) {
    if (timeline.value == 1) return {{timeline, {}, {}}};
    const auto text = wal.history(timeline);
    return text ? postgres::parse_timeline_history(*text, timeline) : std::vector<postgres::TimelineHistoryEntry>{};
}

std::string why_not(const repository::Backup& backup, const Source& source, base::Timeline timeline,
                    const std::vector<postgres::TimelineHistoryEntry>& history) {
    const Root& root = backup.root;
    const auto& control = source.control;
    if (!backup.damage.empty()) return "it is damaged: " + backup.damage;
    if (root.catalog_version != control.catalog_version || root.control_version != control.control_version)
        return "it is of another version of PostgreSQL";
    if (root.block_size != control.block_size || root.wal_segment_size != control.wal_segment_size)
        return "its page or WAL segment size is another";
    if (root.data_checksum_version != control.data_checksum_version && base::guard("T10.checksum_version"))
        return "data checksums were switched on or off since";
    if (root.timeline == timeline) return {};
    const auto leg = std::find_if(history.begin(), history.end(), [&](const auto& entry) { return entry.timeline == root.timeline; });
    if (leg == history.end()) return fmt::format("it is of timeline {}, of which the server's does not descend", base::text(root.timeline));
    if (leg->end < root.stop && base::guard("T17.left_timeline"))
        return fmt::format("timeline {} was left before its end", base::text(root.timeline));
    return {};
}

/// The name of an object that gc may take, if the backup needs one.
std::optional<std::string> doomed_object(const repository::Repository& repository, const repository::ClusterArea& area,
                                         const Parent& parent) {
    const auto listed = repository::read_doomed(repository);
    const std::set<std::string> doomed(listed.begin(), listed.end());
    if (doomed.empty()) return std::nullopt;
    std::map<std::string, repository::FrameSet> packs;
    for (const auto& [path, entry] : parent.files)
        for (const auto& extent : entry.extents)
            if (!extent.pack.empty() && doomed.contains(area.pack(extent.pack))) repository::add_frames(packs[extent.pack], extent);
    for (const auto& [pack, frames] : packs)
        if (!repository::may_share(repository, area, pack, frames, doomed)) return area.pack(pack);
    return std::nullopt;
}

/// What an audit found holds until a full backup begins anew. `backups` are the newest first.
std::string alarm_of(const std::vector<repository::Backup>& backups) {
    for (const auto& backup : backups) {
        if (backup.root.unlogged_changes > 0) return backup.root.id;
        if (backup.root.type == "full" && backup.damage.empty()) break;
    }
    return {};
}

Parent read_parent(const repository::Repository& repository, repository::Backup backup) {
    Parent parent{std::move(backup), {}, {}};
    parent.files.reserve(parent.backup.root.files);
    for (const auto& reference : parent.backup.root.trees) {
        for (auto& entry : repository::read_tree(repository, parent.backup.area, reference.name).entries) {
            if (entry.type != repository::EntryType::file) continue;
            entry.extents = repository::read_extents(repository, parent.backup.area, entry);
            entry.map.clear();
            auto path = repository::whole_path(reference.root, entry.path);
            entry.path = {};
            parent.files.emplace(std::move(path), std::move(entry));
        }
    }
    return parent;
}

}  // namespace

const FileEntry* Parent::find(const std::string& path) const {
    const auto found = files.find(path);
    return found == files.end() ? nullptr : &found->second;
}

ParentChoice choose_parent(const repository::Repository& repository, const repository::ClusterArea& area, const Source& source,
                           base::Timeline timeline, const std::string& wished) {
    using base::Failure;
    using base::FailureKind;
    ParentChoice choice{std::nullopt, "there is no backup of this cluster yet"};
    const archive::WalArchive wal(repository, area);
    const auto history = history_of(wal, timeline);
    auto backups = repository::list_backups(repository, area.cluster());
    std::erase_if(backups, [&](const auto& backup) { return backup.area.prefix() != area.prefix(); });
    std::stable_sort(backups.begin(), backups.end(), [](const auto& a, const auto& b) { return a.root.start > b.root.start; });
    const auto alarm = alarm_of(backups);
    if (!wished.empty()) {
        const auto found = repository::find_backup(repository, area.cluster(), wished);
        std::erase_if(backups, [&](const auto& backup) { return backup.root.id != found.root.id; });
        if (backups.empty())
            throw Failure(FailureKind::operation,
                          fmt::format("backup {} is not one to build upon: it is another cluster's or has expired", wished),
                          "`howdah backup list` shows those there are");
    }
    for (auto& backup : backups) {
        const std::string id = backup.root.id;
        auto why = why_not(backup, source, timeline, history);
        if (why.empty()) {
            auto parent = read_parent(repository, std::move(backup));
            const auto doomed = doomed_object(repository, area, parent);
            if (!doomed) {
                choice.parent = std::move(parent);
                choice.parent->alarm = alarm;
                choice.why_none.clear();
                return choice;
            }
            why = fmt::format("gc has listed {}", *doomed);
        }
        if (!wished.empty())
            throw Failure(FailureKind::operation, fmt::format("backup {} cannot be built upon: {}", id, why),
                          "leave out --parent, or take a full backup");
        choice.why_none = fmt::format("backup {} cannot be built upon: {}", id, why);
    }
    return choice;
}

}  // namespace howdah::backup
