#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "repository/mark.hpp"
#include "repository/object.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// A pack of which backups need little is written again without the frames that nobody needs: under the same id, as the next generation,
/// with frames of no bytes in their places, so that no manifest changes. The earlier generation goes as garbage does. While both are
/// there the lower one counts, as it holds at least as much.
inline constexpr unsigned kMostGenerations = 99;

/// "…/pack/ab/ID" or, from generation 1 on, "…/pack/ab/ID.01".
std::string pack_object(const ClusterArea& area, const std::string& id, unsigned generation);
/// The name of the first generation of a pack's object; any other name as it is.
std::string first_generation(const std::string& object);

struct PackSource {
    std::string object;
    std::unique_ptr<storage::Reader> source;
};
/// Opens the generation of a pack that counts; none when there is no such pack.
std::optional<PackSource> open_generation(const Repository& repository, const ClusterArea& area, const PackId& id);

/// Generations of a pack that are there, lowest first.
using Generations = std::vector<Candidate>;
std::map<std::string, Generations> group_packs(const std::vector<Candidate>& candidates);

/// The generation that stays of a pack that is needed: the highest that holds all these frames. None: all were removed meanwhile.
std::optional<std::string> kept_generation(const Repository& repository, const Generations& generations, const FrameSet& needed);

/// Generations of packs that are needed which another one stands for.
std::set<std::string> replaced_generations(const Repository& repository, const std::vector<Candidate>& candidates, const Marked& needed);

/// Whether a backup may share these frames of a pack: none of its generations is on the list of garbage (`doomed`, what read_doomed() says
/// once the backup has its lease), or one that is not holds them all. That one stays as long as they are needed: it goes only by
/// a list that is written after the lease was taken.
bool may_share(const Repository& repository, const ClusterArea& area, const PackId& id, const FrameSet& frames,
               const std::set<std::string>& doomed);

/// How much of a pack is needed.
struct Compaction {
    std::uint64_t live = 0, stored = 0;  ///< Bytes of frames that are needed, and of all that hold something.
    bool worthwhile() const { return 2 * live < stored; }
};
Compaction measure_pack(const ObjectReader& reader, const FrameSet& needed);

/// Writes the next generation of a pack with the frames that are needed, and reads it again. None when another run was first.
std::optional<Candidate> write_next_generation(const Repository& repository, const Candidate& pack, const ObjectReader& reader,
                                               const FrameSet& needed, SealContext& context);

}  // namespace howdah::repository
