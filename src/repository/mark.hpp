#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/documents.hpp"
#include "repository/manifest.hpp"
#include "repository/names.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// Frames of a pack, by number; those behind its end are not among them.
using FrameSet = std::vector<bool>;
/// Adds the frames that an extent goes over.
void add_frames(FrameSet& frames, const Extent& extent);

/// Roots, trees, maps, packs and summaries that kept backups need, by object name; packs by that of their first generation.
struct Marked {
    std::unordered_set<std::string> names;
    std::unordered_map<std::string, FrameSet> frames;  ///< Those needed of each pack.
    std::vector<std::string> problems;                 ///< Manifests that could not be read; only collected when asked for.
};
/// Walks every root that has not expired (or is pinned). Without `collect` damage throws: nothing may be judged unneeded then.
Marked mark_needed(const Repository& repository, const base::Cancellation& cancellation, bool collect);

/// Ids of an area's backups that have expired and are not pinned.
std::set<std::string> expired_backups(const Repository& repository, const ClusterArea& area);

/// An object that garbage collection may judge: root, tree, map, pack or summary.
struct Candidate {
    storage::Listed object;
    ObjectName name;
};
std::vector<Candidate> list_candidates(const Repository& repository);

/// Since when a live backup holds each cluster's lease, by area prefix; what is younger may be its work.
std::map<std::string, base::Timestamp> live_backups(const Repository& repository);

std::vector<Doomed> read_doomed_list(const Repository& repository);

}  // namespace howdah::repository
