#include "client/server_message.hpp"

#include <algorithm>
#include <vector>

namespace howdah::inline v0 {

namespace {

bool is_state_character(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }

/// The position of "XXXXX: " after "SEVERITY:  ", the form a verbose message has; npos when there is none.
std::size_t find_state(std::string_view line) {
    for (std::size_t at = line.find(":  "); at != std::string_view::npos; at = line.find(":  ", at + 1)) {
        const std::string_view code = line.substr(at + 3, 5);
        if (code.size() == 5 && std::all_of(code.begin(), code.end(), is_state_character) && line.substr(at + 8, 2) == ": ") return at + 3;
    }
    return std::string_view::npos;
}

/// Without "connection to server at ... failed: ", which callers say themselves.
std::string_view without_endpoint(std::string_view line) {
    constexpr std::string_view kEnd = " failed: ";
    const std::size_t end = line.starts_with("connection to server ") ? line.find(kEnd) : std::string_view::npos;
    return end == std::string_view::npos ? line : line.substr(end + kEnd.size());
}

/// Takes what follows a label such as "DETAIL:". libpq translates the labels; a translated line then stays part of the message.
bool take_field(std::string_view line, std::string_view label, std::string& into) {
    if (!line.starts_with(label)) return false;
    line.remove_prefix(label.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    into = line;
    return true;
}

}  // namespace

std::string one_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    std::string line;
    for (const char c : text) {
        if (c != '\n' && c != '\t') {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    return line;
}

std::string mask_quoted(std::string message, std::string_view conninfo) {
    const bool may_hold_secret = conninfo.find("password") != std::string_view::npos || conninfo.find('@') != std::string_view::npos;
    if (!may_hold_secret) return message;
    std::size_t open = message.find('"');
    while (open != std::string::npos) {
        const std::size_t close = message.find('"', open + 1);
        if (close == std::string::npos) return message.substr(0, open) + "***";
        message.replace(open, close - open + 1, "***");
        open = message.find('"', open + 3);
    }
    return message;
}

DialMessage read_dial_message(std::string_view message) {
    DialMessage read;
    std::string head;
    for (std::size_t start = 0; start < message.size();) {
        const std::size_t end = std::min(message.find('\n', start), message.size());
        const std::string_view line = message.substr(start, end - start);
        start = end + 1;
        if (line.empty() || line.starts_with("LOCATION:")) continue;
        if (take_field(line, "DETAIL:", read.text.detail) || take_field(line, "HINT:", read.text.hint)) continue;
        // libpq's own advice stands indented below its message.
        if (line.starts_with('\t')) {
            if (!read.text.hint.empty()) read.text.hint += ' ';
            read.text.hint += line.substr(1);
            continue;
        }
        std::string_view said = without_endpoint(line);
        if (const std::size_t at = find_state(line); at != std::string_view::npos) {
            if (read.sqlstate.empty()) read.sqlstate = SqlState(line.substr(at, 5));
            said = line.substr(at + 7);
        }
        // With TLS only preferred, libpq tries twice and tells both refusals.
        if (head.find(said) != std::string::npos) continue;
        if (!head.empty()) head += ' ';
        head += said;
    }
    read.text.message = one_line(head);
    return read;
}

}  // namespace howdah::inline v0
