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
std::optional<std::string> doomed_object(const repository::Repository& repository, const repository::Backup& backup) {
    const auto listed = repository::read_doomed(repository);
    const std::set<std::string> doomed(listed.begin(), listed.end());
    if (doomed.empty()) return std::nullopt;
    std::map<repository::PackId, repository::FrameSet> packs;
    read_files(repository, backup, [&](const std::string&, FileEntry& entry) {
        for (const auto& extent : entry.extents)
            if (!extent.pack.empty() && doomed.contains(backup.area.pack(extent.pack))) repository::add_frames(packs[extent.pack], extent);
    });
    for (const auto& [pack, frames] : packs)
        if (!repository::may_share(repository, backup.area, pack, frames, doomed)) return backup.area.pack(pack);
    return std::nullopt;
}

/// What an audit found holds until a full backup begins anew. `backups` are the newest first.
std::string alarm_of(const std::vector<repository::Backup>& backups) {
    for (const auto& backup : backups) {
        if (backup.root.unlogged_changes > 0) return backup.root.id;
        if (!backup.root.alarm.empty()) return backup.root.alarm;
        if (backup.root.type == "full" && backup.damage.empty()) break;
    }
    return {};
}

}  // namespace

void read_files(const repository::Repository& repository, const repository::Backup& backup,
                const std::function<void(const std::string& path, FileEntry& entry)>& visit) {
    for (const auto& reference : backup.root.trees) {
        auto tree = repository::read_tree(repository, backup.area, reference.name);
        for (auto& entry : tree.entries) {
            if (entry.type != repository::EntryType::file) continue;
            if (!entry.map.empty()) entry.extents = repository::read_extents(repository, backup.area, entry);
            visit(repository::whole_path(reference.root, entry.path), entry);
        }
    }
}

ParentChoice choose_parent(const repository::Repository& repository, const repository::ClusterArea& area, const Source& source,
                           base::Timeline timeline, const std::string& wished) {
    using base::Failure;
    using base::FailureKind;
    ParentChoice choice{std::nullopt, {}, "there is no backup of this cluster yet"};
    const archive::WalArchive wal(repository, area);
    const auto history = history_of(wal, timeline);
    auto backups = repository::list_backups(repository, area.cluster());
    std::erase_if(backups, [&](const auto& backup) { return backup.area.prefix() != area.prefix(); });
    std::stable_sort(backups.begin(), backups.end(), [](const auto& a, const auto& b) { return a.root.start > b.root.start; });
    choice.alarm = alarm_of(backups);
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
            const auto doomed = doomed_object(repository, backup);
            if (!doomed) {
                choice.parent = std::move(backup);
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
