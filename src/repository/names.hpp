#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "repository/repository.hpp"
#include "repository/sealing.hpp"

namespace howdah::repository {

/// What an object's name says it is. `marker` and `slot` are the two lines that are not sealed objects.
struct ObjectName {
    enum class What { marker, slot, sealed } what = What::sealed;
    Kind kind = Kind::pack;
    std::optional<ClusterArea> area;
    std::string last;         ///< The last word: backup id, tree name, segment, link number; a pack's id.
    unsigned generation = 0;  ///< Of a pack.
};
/// None when no object of a repository has such a name.
std::optional<ObjectName> parse_object_name(const std::string& name);

/// 24 upper-case hex digits.
bool is_segment_name(std::string_view name);
/// A stretch of WAL in the name of its summary: the timeline on which it ends, where it begins and where it ends.
struct SummaryName {
    base::Timeline timeline;
    base::Lsn from, to;
};
/// "00000001/0000000003000028-0000000007000028".
std::string text(const SummaryName& name);
std::optional<SummaryName> parse_summary_name(std::string_view text);

/// A segment's object below an area's prefix.
std::string wal_object_name(const std::string& area_prefix, const std::string& segment);
/// The segment after this one on its timeline.
std::string next_segment(const std::string& segment, std::uint64_t segment_size);

}  // namespace howdah::repository
