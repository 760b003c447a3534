#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace howdah::postgres {

/// A WAL segment of a timeline: the number is LSN / segment size. The name needs the segment size.
struct WalSegment {
    base::Timeline timeline;
    std::uint64_t number = 0;
    constexpr auto operator<=>(const WalSegment&) const = default;
    base::Lsn begin(std::uint64_t segment_size) const { return {number * segment_size}; }
    base::Lsn end(std::uint64_t segment_size) const { return {(number + 1) * segment_size}; }
    /// "000000010000000A000000F3": timeline, then the number split by 4 GiB / segment size.
    std::string name(std::uint64_t segment_size) const;
    WalSegment next() const { return {timeline, number + 1}; }
};

/// The segment holding the byte at `lsn`.
WalSegment segment_at(base::Timeline timeline, base::Lsn lsn, std::uint64_t segment_size);

enum class WalFileKind { segment, partial, history, backup_label, other };
/// What a file name in pg_wal or given to archive_command is: 24 hex digits; the same with ".partial"; "00000002.history";
/// "….XXXXXXXX.backup".
WalFileKind classify_wal_file(std::string_view name);
/// None unless the name is a segment's and its number fits the segment size.
std::optional<WalSegment> parse_segment_name(std::string_view name, std::uint64_t segment_size);
/// "00000002.history".
std::string history_name(base::Timeline timeline);

}  // namespace howdah::postgres
