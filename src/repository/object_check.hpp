#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "repository/damage.hpp"
#include "repository/inspection.hpp"
#include "repository/names.hpp"
#include "repository/object.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// What reading every object by itself told, for the checks that follow. Filled by several threads.
struct ObjectFacts {
    std::mutex mutex;
    std::map<std::string, std::vector<std::uint32_t>> pack_frames;  ///< Plain bytes of each data frame, by the pack's object name.
    std::map<std::string, std::uint64_t> segment_sizes;             ///< By area prefix.
    std::vector<Damage> found;                                      ///< Of objects that were looked into to their end.
};

/// Authenticates every stored byte of one sealed object and checks what its kind promises. Throws Failure for damage; an object that was
/// deleted meanwhile is passed over. With an inspection packs and WAL segments are looked into as well; of those frames that its share
/// leaves out only the directory and a segment's trailer are read.
void check_object(const Repository& repository, const ObjectName& name, const std::string& object, SealContext& context, ObjectFacts& facts,
                  Inspection* inspection = nullptr);

}  // namespace howdah::repository
