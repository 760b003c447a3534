#pragma once

#include <string>

#include "repository/inspection.hpp"
#include "repository/names.hpp"
#include "repository/object.hpp"
#include "repository/object_check.hpp"

namespace howdah::repository {

/// Unpacks the data frames of a pack that the share takes, compares them with the block hashes and shows them to the inspector. A frame
/// that fails does not hide the others: findings go to `facts`. Throws DamageFailure when the block hashes cannot be read.
void inspect_pack(const Repository& repository, const ObjectReader& reader, const std::string& object, SealContext& context,
                  Inspection& inspection, ObjectFacts& facts);

/// Unpacks all frames of a WAL segment and shows it to the inspector. `data_bytes`: the sum of its data frames, checked already.
void inspect_segment(const ObjectReader& reader, const ObjectName& name, const std::string& object, std::uint64_t data_bytes,
                     const WalTrailer& trailer, SealContext& context, Inspection& inspection);

/// Counts the frames of a pack or segment that a share leaves out.
void count_frames(const ObjectReader& reader, Inspection& inspection);

}  // namespace howdah::repository
