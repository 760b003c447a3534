#include <fmt/core.h>

#include <charconv>

#include "base/failure.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::postgres {

namespace {

constexpr std::string_view kSpace = " \t\r\v\f";

/// The next word, taken off the front of `line`.
std::string_view take_word(std::string_view& line) {
    const auto begin = line.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return line = {};
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(kSpace));
    line.remove_prefix(word.size());
    return word;
}

[[noreturn]] void malformed(base::Timeline timeline, unsigned line, std::string_view why) {
    throw base::Failure(base::FailureKind::operation, fmt::format("history of timeline {} line {}: {}", timeline.value, line, why),
                        "a history file holds lines of timeline, switch point and reason; fetch it again from the archive or the server");
}

/// One line that is no comment: "PARENT SWITCHPOINT REASON".
TimelineHistoryEntry read_line(std::string_view line, base::Timeline timeline, unsigned number) {
    TimelineHistoryEntry entry;
    const std::string_view parent = take_word(line);
    const auto [end, error] = std::from_chars(parent.data(), parent.data() + parent.size(), entry.timeline.value);
    if (error != std::errc{} || end != parent.data() + parent.size())
        malformed(timeline, number, fmt::format("no timeline: \"{}\"", parent));
    const std::string_view point = take_word(line);
    const auto lsn = base::parse_lsn(point);
    if (!lsn) malformed(timeline, number, fmt::format("no switch point: \"{}\"", point));
    entry.end = *lsn;
    return entry;
}

}  // namespace

std::vector<TimelineHistoryEntry> parse_timeline_history(std::string_view text, base::Timeline timeline) {
    std::vector<TimelineHistoryEntry> entries;
    base::Lsn begin;
    unsigned number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        ++number;
        const auto first = line.find_first_not_of(kSpace);
        if (first == std::string_view::npos || line[first] == '#') continue;
        TimelineHistoryEntry entry = read_line(line, timeline, number);
        if (entry.timeline.value == 0 || (!entries.empty() && entry.timeline <= entries.back().timeline) || entry.timeline >= timeline)
            malformed(timeline, number, fmt::format("timeline {} is out of order", entry.timeline.value));
        if (entry.end < begin)
            malformed(timeline, number, fmt::format("the switch point {} is before the one above", base::text(entry.end)));
        entry.begin = begin;
        begin = entry.end;
        entries.push_back(entry);
    }
    entries.push_back({timeline, begin, {}});
    return entries;
}

}  // namespace howdah::postgres
