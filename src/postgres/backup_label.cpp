#include "postgres/backup_label.hpp"

#include <fmt/core.h>

#include <charconv>

#include "base/failure.hpp"
#include "postgres/wal_name.hpp"

namespace howdah::postgres {

namespace {

using base::Failure;
using base::FailureKind;

constexpr const char* kHint = "use the text that the server's backup stop function returned, unchanged";

/// What follows `key` on the first line that begins with it; none when no line does.
std::optional<std::string_view> find_line(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        if (line.starts_with(key)) return line.substr(key.size());
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return std::nullopt;
}

std::string_view need_line(std::string_view text, std::string_view key) {
    const auto line = find_line(text, key);
    if (!line)
        throw Failure(FailureKind::operation, fmt::format("backup_label is incomplete: no line \"{}\"", key.substr(0, key.find(':'))),
                      kHint);
    return *line;
}

[[noreturn]] void malformed(std::string_view key, std::string_view value) {
    throw Failure(FailureKind::operation, fmt::format("backup_label is malformed: \"{}{}\"", key, value), kHint);
}

std::optional<std::uint32_t> parse_decimal(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// "0/3000028 (file 000000010000000000000003)".
void read_start(std::string_view text, BackupLabel& label) {
    constexpr std::string_view kKey = "START WAL LOCATION: ", kFile = " (file ";
    const std::string_view value = need_line(text, kKey);
    const auto open = value.find(kFile);
    if (open == std::string_view::npos || !value.ends_with(')')) malformed(kKey, value);
    const auto start = base::parse_lsn(value.substr(0, open));
    const auto file = value.substr(open + kFile.size(), value.size() - open - kFile.size() - 1);
    if (!start || classify_wal_file(file) != WalFileKind::segment) malformed(kKey, value);
    label.start = *start;
    label.start_segment = file;
}

}  // namespace

BackupLabel parse_backup_label(std::string_view text) {
    BackupLabel label;
    read_start(text, label);

    constexpr std::string_view kCheckpoint = "CHECKPOINT LOCATION: ", kFrom = "BACKUP FROM: ", kTimeline = "START TIMELINE: ";
    const std::string_view checkpoint = need_line(text, kCheckpoint);
    const auto location = base::parse_lsn(checkpoint);
    if (!location) malformed(kCheckpoint, checkpoint);
    label.checkpoint = *location;

    const std::string_view from = need_line(text, kFrom);
    if (from != "primary" && from != "master" && from != "standby") malformed(kFrom, from);
    label.from_standby = from == "standby";

    const std::string_view timeline = need_line(text, kTimeline);
    const auto number = parse_decimal(timeline);
    if (!number || fmt::format("{:08X}", *number) != std::string_view(label.start_segment).substr(0, 8)) malformed(kTimeline, timeline);
    label.timeline = {*number};
    return label;
}

}  // namespace howdah::postgres
