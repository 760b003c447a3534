#include "postgres/wal_name.hpp"

#include <fmt/core.h>

#include <charconv>

namespace howdah::postgres {

namespace {

constexpr std::size_t kNameLength = 24;
constexpr std::uint64_t kFourGiB = std::uint64_t{1} << 32;

/// PostgreSQL writes these names with capital letters only, and so reads them.
bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789ABCDEF") == std::string_view::npos; }

std::uint32_t hex_number(std::string_view digits) {
    std::uint32_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    return number;
}

}  // namespace

std::string WalSegment::name(std::uint64_t segment_size) const {
    const std::uint64_t per_file_number = kFourGiB / segment_size;
    return fmt::format("{:08X}{:08X}{:08X}", timeline.value, number / per_file_number, number % per_file_number);
}

WalSegment segment_at(base::Timeline timeline, base::Lsn lsn, std::uint64_t segment_size) { return {timeline, lsn.value / segment_size}; }

WalFileKind classify_wal_file(std::string_view name) {
    if (name.size() == 16 && is_hex(name.substr(0, 8)) && name.substr(8) == ".history") return WalFileKind::history;
    if (name.size() < kNameLength || !is_hex(name.substr(0, kNameLength))) return WalFileKind::other;
    const std::string_view rest = name.substr(kNameLength);
    if (rest.empty()) return WalFileKind::segment;
    if (rest == ".partial") return WalFileKind::partial;
    if (rest.size() == 16 && rest[0] == '.' && is_hex(rest.substr(1, 8)) && rest.substr(9) == ".backup") return WalFileKind::backup_label;
    return WalFileKind::other;
}

std::optional<WalSegment> parse_segment_name(std::string_view name, std::uint64_t segment_size) {
    if (classify_wal_file(name) != WalFileKind::segment) return std::nullopt;
    const std::uint64_t per_file_number = kFourGiB / segment_size;
    const std::uint32_t timeline = hex_number(name.substr(0, 8));
    const std::uint32_t low = hex_number(name.substr(16, 8));
    if (timeline == 0 || low >= per_file_number) return std::nullopt;
    return WalSegment{{timeline}, hex_number(name.substr(8, 8)) * per_file_number + low};
}

std::string history_name(base::Timeline timeline) { return fmt::format("{:08X}.history", timeline.value); }

}  // namespace howdah::postgres
