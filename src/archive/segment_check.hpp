#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/units.hpp"
#include "postgres/wal_name.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::archive {

/// A segment file whose first page says what its name says.
struct CheckedSegment {
    postgres::WalSegment segment;       ///< Timeline and number of the name.
    postgres::WalSegmentHeader header;  ///< Of the first page; its timeline may be an older one where a timeline was switched.
};

/// The checks of trap T19 before a segment is archived or delivered: a known page magic, as many bytes as the header's segment size (never
/// 16 MiB by assumption), the first page's address at the place that `name` gives, and the system identifier. `name` is a segment's or a
/// ".partial" name. `size` is that of the whole file, of which `head` holds at least the first page. Failure(operation) says which differs
/// and names both values; a wrong system identifier is Failure(configuration): the cluster is another one.
CheckedSegment check_segment(const std::string& name, std::span<const std::byte> head, std::uint64_t size, base::SystemIdentifier system);

/// "000000010000000000000003" of "000000010000000000000003.partial"; any other name as it is.
std::string without_partial(const std::string& name);

}  // namespace howdah::archive
