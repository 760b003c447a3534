#include "repository/mark.hpp"

#include <algorithm>
#include <limits>

#include "repository/backups.hpp"
#include "repository/damage.hpp"
#include "repository/lease.hpp"
#include "repository/object.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::uint64_t kMostFrames = 16u << 20;  ///< A directory of the largest size holds fewer.

class Marker {
public:
    Marker(const Repository& repository, const base::Cancellation& cancellation, bool collect)
        : repository_(repository), cancellation_(cancellation), collect_(collect) {}

    void mark_area(const ClusterArea& area) {
        const std::set<std::string> expired = expired_backups(repository_, area);
        first_start_ = {std::numeric_limits<std::uint64_t>::max()};
        std::vector<std::string> ids;
        const std::string prefix = area.root("");
        repository_.store().list(prefix, [&](const storage::Listed& listed) { ids.push_back(listed.name.substr(prefix.size())); });
        for (const std::string& id : ids)
            if (!expired.contains(id)) guarded([&] { mark_root(area, id); });
        mark_summaries(area);
    }

    Marked marked;

private:
    template <typename Work>
    void guarded(const Work& work) {
        try {
            work();
        } catch (const Failure& failure) {
            if (!collect_ || failure.kind() != FailureKind::operation) throw;
            marked.problems.emplace_back(failure.what());
        }
    }

    void mark_root(const ClusterArea& area, const std::string& id) {
        cancellation_.check("reading the backups");
        const std::string name = area.root(id);
        marked.names.insert(name);
        const auto document = read_document(repository_.store(), repository_.key(), Kind::root, name);
        if (!document) throw_damaged(name, "it is missing");
        const Root root = decode_root(*document, name);
        first_start_ = std::min(first_start_, root.start);
        for (const TreeReference& reference : root.trees)
            if (marked.names.insert(area.tree(reference.name)).second) guarded([&] { mark_tree(area, reference.name); });
    }

    /// An incremental may be built upon any kept backup, and then asks for what changed from its start on.
    void mark_summaries(const ClusterArea& area) {
        const std::string prefix = area.summary("");
        repository_.store().list(prefix, [&](const storage::Listed& listed) {
            const auto name = parse_summary_name(std::string_view(listed.name).substr(prefix.size()));
            if (name && name->from >= first_start_) marked.names.insert(listed.name);
        });
    }

    void mark_tree(const ClusterArea& area, const std::string& name) {
        for (const FileEntry& entry : read_tree(repository_, area, name).entries) {
            if (entry.type != EntryType::file) continue;
            if (!entry.map.empty() && !marked.names.insert(area.map(entry.map)).second) continue;
            guarded([&] {
                for (const Extent& extent : read_extents(repository_, area, entry))
                    if (!extent.pack.empty()) mark_extent(area, extent);
            });
        }
    }

    void mark_extent(const ClusterArea& area, const Extent& extent) {
        const std::string pack = area.pack(extent.pack);
        marked.names.insert(pack);
        // Damage is told by who knows the pack; here it must not take all memory.
        if (extent.frame + extent.length / kFrameBytes > kMostFrames) throw_damaged(pack, "a manifest names a frame that no pack has");
        add_frames(marked.frames[pack], extent);
    }

    const Repository& repository_;
    const base::Cancellation& cancellation_;
    bool collect_;
    base::Lsn first_start_;  ///< Of the area at hand, over its kept backups.
};

}  // namespace

void add_frames(FrameSet& frames, const Extent& extent) {
    const std::uint64_t count = (extent.position + extent.length + kFrameBytes - 1) / kFrameBytes;
    if (frames.size() < extent.frame + count) frames.resize(extent.frame + count);
    std::fill_n(frames.begin() + static_cast<std::ptrdiff_t>(extent.frame), count, true);
}

Marked mark_needed(const Repository& repository, const base::Cancellation& cancellation, bool collect) {
    Marker marker(repository, cancellation, collect);
    for (const ClusterArea& area : repository.areas()) marker.mark_area(area);
    return std::move(marker.marked);
}

std::set<std::string> expired_backups(const Repository& repository, const ClusterArea& area) {
    std::set<std::string> expired;
    const std::vector<Event> events = read_events(repository, area);
    for (const Event& event : events)
        if (event.type == "expire") expired.insert(event.backup_id);
    if (expired.empty()) return expired;
    const base::Timestamp now = repository.store().now();
    std::erase_if(expired, [&](const std::string& id) { return is_pinned(events, id, now); });
    return expired;
}

std::vector<Candidate> list_candidates(const Repository& repository) {
    std::vector<Candidate> candidates;
    repository.store().list("cluster/", [&](const storage::Listed& listed) {
        auto name = parse_object_name(listed.name);
        if (!name || name->what != ObjectName::What::sealed) return;
        const Kind kind = name->kind;
        if (kind == Kind::root || kind == Kind::tree || kind == Kind::map || kind == Kind::pack || kind == Kind::summary)
            candidates.push_back({listed, std::move(*name)});
    });
    return candidates;
}

std::map<std::string, base::Timestamp> live_backups(const Repository& repository) {
    std::map<std::string, base::Timestamp> live;
    for (const ClusterArea& area : repository.areas()) {
        const auto state = look_at_lease(repository, area.lease_prefix());
        if (state && state->live) live[area.prefix()] = state->holder.acquired;
    }
    return live;
}

}  // namespace howdah::repository
