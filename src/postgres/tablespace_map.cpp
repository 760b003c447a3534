#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/failure.hpp"
#include "postgres/backup_label.hpp"

namespace howdah::postgres {

namespace {

/// One line without its escapes; `text` goes on after it. False when the text ends inside an escape.
bool take_line(std::string_view& text, std::string& line) {
    line.clear();
    std::size_t at = 0;
    for (; at < text.size() && text[at] != '\n'; ++at) {
        if (text[at] == '\\' && ++at == text.size()) return false;
        line.push_back(text[at]);
    }
    text.remove_prefix(std::min(at + 1, text.size()));
    return true;
}

}  // namespace

std::vector<TablespaceMapEntry> parse_tablespace_map(std::string_view text) {
    std::vector<TablespaceMapEntry> entries;
    std::string line;
    for (unsigned number = 1; !text.empty(); ++number) {
        const bool ended = take_line(text, line);
        if (ended && line.empty()) continue;
        TablespaceMapEntry entry;
        const char* const end = line.data() + line.size();
        const auto [digits_end, error] = std::from_chars(line.data(), end, entry.oid);
        if (!ended || error != std::errc{} || end - digits_end < 2 || *digits_end != ' ')
            throw base::Failure(base::FailureKind::operation, fmt::format("tablespace_map line {} is malformed: \"{}\"", number, line),
                                "use the text that the server's backup stop function returned, unchanged");
        entry.path.assign(digits_end + 1, end);
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::string write_tablespace_map(const std::vector<TablespaceMapEntry>& entries) {
    std::string text;
    for (const TablespaceMapEntry& entry : entries) {
        text += fmt::format("{} ", entry.oid);
        for (const char character : entry.path) {
            if (character == '\n' || character == '\r' || character == '\\') text.push_back('\\');
            text.push_back(character);
        }
        text.push_back('\n');
    }
    return text;
}

}  // namespace howdah::postgres
