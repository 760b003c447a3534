#include "repository/manifest_check.hpp"

#include <fmt/core.h>

#include "repository/backups.hpp"
#include "repository/damage.hpp"
#include "repository/lease.hpp"
#include "repository/mark.hpp"
#include "repository/pack_generations.hpp"

namespace howdah::repository {

namespace {

constexpr std::size_t kLongestSpan = 1u << 20;  ///< Segments of one backup; more is no backup.

/// Why a run of plain bytes does not lie in these frames; empty when it does.
std::string extent_problem(const Extent& extent, const std::vector<std::uint32_t>& frames) {
    std::uint64_t left = extent.length, position = extent.position;
    for (std::uint64_t frame = extent.frame;; ++frame, position = 0) {
        if (frame >= frames.size()) return fmt::format("frame {} that is not there", frame);
        if (position >= frames[frame]) return fmt::format("byte {} of frame {}, which has {}", position, frame, frames[frame]);
        const std::uint64_t room = frames[frame] - position;
        if (left <= room) return {};
        if (frames[frame] != kFrameBytes) return fmt::format("a run through frame {}, which is not full", frame);
        left -= room;
    }
}

}  // namespace

ManifestCheck::ManifestCheck(const Repository& repository, const std::map<std::string, base::Timestamp>& listed, const ObjectFacts& facts)
    : repository_(repository), listed_(listed), facts_(facts) {
    try {
        for (const Doomed& object : read_doomed_list(repository)) doomed_.insert(object.name);
    } catch (const DamageFailure&) {
        // The chain is told about by its own check.
    }
}

void ManifestCheck::check_doomed(const std::string& cluster) {
    const auto lease = look_at_lease(repository_, kRepositoryLease);
    if (lease && lease->live) return;
    for (const std::string& object : doomed_) {
        const auto name = parse_object_name(object);
        if (!name || !name->area || (!cluster.empty() && name->area->cluster() != cluster)) continue;
        if (!listed_.contains(object) && !repository_.store().exists(object))
            report(object, "is missing: it is on the list of garbage, and a gc died before its end or something else removed it");
    }
}

void ManifestCheck::require(const std::string& object, const std::string& by) {
    if (listed_.contains(object) || repository_.store().exists(object)) return;
    report(object, fmt::format("is missing: {} names it", by));
}

void ManifestCheck::require_pack(const ClusterArea& area, const PackId& id, const std::string& by, std::set<std::string>& needs) {
    const std::string first = area.pack(id);
    bool listed = listed_.contains(first);
    for (auto next = listed_.lower_bound(first + "."); next != listed_.end() && next->first.starts_with(first + "."); ++next) {
        needs.insert(next->first);
        listed = true;
    }
    if (!listed && !open_generation(repository_, area, id)) report(first, fmt::format("is missing: {} names it", by));
}

/// Of the generation that counts.
std::map<std::string, std::vector<std::uint32_t>>::const_iterator ManifestCheck::frames_of(const std::string& first) const {
    const auto frames = facts_.pack_frames.lower_bound(first);
    return frames != facts_.pack_frames.end() && first_generation(frames->first) == first ? frames : facts_.pack_frames.end();
}

void ManifestCheck::check_area(const ClusterArea& area, const base::Cancellation& cancellation) {
    expired_.clear();
    ever_expired_.clear();
    try {
        expired_ = expired_backups(repository_, area);
        for (const Event& event : read_events(repository_, area))
            if (event.type == "expire") ever_expired_.insert(event.backup_id);
    } catch (const DamageFailure&) {
        // The event chain is told about by its own check; every backup counts as kept then.
    }
    const std::string prefix = area.root("");
    for (auto root = listed_.lower_bound(prefix); root != listed_.end() && root->first.starts_with(prefix); ++root) {
        cancellation.check("verifying the backups");
        const std::string id = root->first.substr(prefix.size());
        if (!expired_.contains(id) || !doomed_.contains(root->first)) check_root(area, id);
    }
}

void ManifestCheck::check_root(const ClusterArea& area, const std::string& id) {
    const std::string name = area.root(id);
    needed_by_[name].insert(id);
    Root root;
    try {
        const auto document = read_document(repository_.store(), repository_.key(), Kind::root, name);
        if (!document) return;
        root = decode_root(*document, name);
    } catch (const base::Failure&) {
        return;  // Told when the object was read by itself.
    }
    if (root.cluster != area.cluster() || root.system_identifier != area.system()) report(name, "is another cluster's root");
    for (const TreeReference& tree : root.trees) {
        require(area.tree(tree.name), name);
        needed_by_[area.tree(tree.name)].insert(id);
        for (const std::string& object : check_tree(area, tree.name)) needed_by_[object].insert(id);
    }
    check_previous(area, root, name);
    check_needed_wal(area, root);
}

void ManifestCheck::check_previous(const ClusterArea& area, const Root& root, const std::string& name) {
    if (root.previous_id.empty() || expired_.contains(root.previous_id)) return;
    const std::string before = area.root(root.previous_id);
    // It may have gone before it was pinned; one that was pinned in time is on the ledger's books.
    if (!ever_expired_.contains(root.previous_id)) require(before, name);
    try {
        const auto document = read_document(repository_.store(), repository_.key(), Kind::root, before);
        if (document && repository_.key().document_hash(Kind::root, *document) != root.previous_hash)
            report(before, fmt::format("is not the root that {} followed", name));
    } catch (const base::Failure&) {
        // Told when the object was read by itself.
    }
}

void ManifestCheck::check_needed_wal(const ClusterArea& area, const Root& root) {
    const auto size = facts_.segment_sizes.find(area.prefix());
    const std::uint64_t segment_size = size == facts_.segment_sizes.end() ? root.wal_segment_size : size->second;
    if (!is_segment_name(root.first_segment) || !is_segment_name(root.last_segment) || segment_size == 0 ||
        root.last_segment < root.first_segment)
        return report(area.root(root.id), fmt::format("names no WAL: {} to {}", root.first_segment, root.last_segment));
    std::string segment = root.first_segment;
    for (std::size_t i = 0; i < kLongestSpan && segment <= root.last_segment; ++i, segment = next_segment(segment, segment_size)) {
        require(area.wal(segment), area.root(root.id));
        needed_by_[area.wal(segment)].insert(root.id);
    }
}

const std::set<std::string>& ManifestCheck::check_tree(const ClusterArea& area, const std::string& name) {
    const std::string object = area.tree(name);
    const auto [place, added] = trees_.try_emplace(object);
    if (!added) return place->second;
    Tree tree;
    try {
        const auto document = read_document(repository_.store(), repository_.key(), Kind::tree, object);
        if (!document) return place->second;
        tree = decode_tree(*document, object);
    } catch (const base::Failure&) {
        return place->second;  // Told when the object was read by itself.
    }
    for (const FileEntry& entry : tree.entries) {
        if (entry.type != EntryType::file) continue;
        if (!entry.map.empty()) {
            place->second.insert(area.map(entry.map));
            require(area.map(entry.map), object);
        }
        try {
            check_extents(area, entry.path, read_extents(repository_, area, entry), place->second);
        } catch (const DamageFailure& failure) {
            if (listed_.contains(failure.object())) report(failure.object(), failure.damage());
        } catch (const base::Failure& failure) {
            report(area.map(entry.map), failure.what());
        }
    }
    return place->second;
}

void ManifestCheck::check_extents(const ClusterArea& area, const std::string& where, const std::vector<Extent>& extents,
                                  std::set<std::string>& needs) {
    for (const Extent& extent : extents) {
        if (extent.pack.empty()) continue;
        const std::string pack = area.pack(extent.pack);
        if (needs.insert(pack).second) require_pack(area, extent.pack, where, needs);
        const auto frames = frames_of(pack);
        if (frames == facts_.pack_frames.end()) continue;  // Missing or damaged, and told so.
        if (const std::string problem = extent_problem(extent, frames->second); !problem.empty())
            report(pack, fmt::format("has not what {} needs: {}", where, problem));
    }
}

void ManifestCheck::check_wal(const ClusterArea& area) {
    const auto size = facts_.segment_sizes.find(area.prefix());
    if (size == facts_.segment_sizes.end()) return;
    const std::string prefix = area.wal_prefix();
    std::string before;
    for (auto object = listed_.lower_bound(prefix); object != listed_.end() && object->first.starts_with(prefix); ++object) {
        const std::string segment = object->first.substr(object->first.rfind('/') + 1);
        if (!is_segment_name(segment)) continue;
        if (before.substr(0, 8) == segment.substr(0, 8)) {
            const std::string expected = next_segment(before, size->second);
            // Asked again, as segments are pushed side by side and may have come since the listing.
            if (segment != expected && !repository_.store().exists(area.wal(expected))) {
                report(area.wal(expected), fmt::format("is missing: the archive goes on at {}", segment));
                fresh_[area.wal(expected)] = object->second;
            }
        }
        before = segment;
    }
}

}  // namespace howdah::repository
