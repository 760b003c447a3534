#include "howdah/cell.hpp"

#include <string>

#include "client/values/type_name.hpp"

namespace howdah::inline v0 {

namespace {

constexpr std::size_t kMostShown = 40;
constexpr std::string_view kDigits = "0123456789abcdef";

void append_hex(std::string& text, char byte) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
}

/// The value on one line, cut at a whole character of UTF-8.
std::string shown(const Cell& cell) {
    std::string text;
    if (cell.binary) {
        text = "0x";
        for (const char c : cell.bytes().substr(0, kMostShown / 2)) append_hex(text, c);
        return cell.size > kMostShown / 2 ? text + "…" : text;
    }
    std::size_t end = std::min(cell.size, kMostShown);
    while (end > 0 && end < cell.size && (static_cast<unsigned char>(cell.data[end]) & 0xc0) == 0x80) --end;
    for (const char c : cell.bytes().substr(0, end)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            text += "\\x";
            append_hex(text, c);
        } else {
            text += c;
        }
    }
    return end < cell.size ? text + "…" : text;
}

std::string place(const Cell& cell) {
    const std::string element = cell.element == 0 ? "" : "element " + std::to_string(cell.element) + " of ";
    return element + "column \"" + std::string(cell.column) + "\" in row " + std::to_string(cell.row);
}

Error misread(std::string what, std::string hint) { return Error(Phase::decode, Cause::usage, {std::move(what), {}, std::move(hint), {}}); }

}  // namespace

Error null_error(const Cell& cell) { return misread(place(cell) + " is NULL", "read it as a std::optional, or use coalesce"); }

Error type_error(const Cell& cell, std::string_view wanted, std::string_view accepted) {
    return misread(place(cell) + " is of type " + type_name(cell.type) + ", not " + std::string(wanted) + ": " + shown(cell),
                   "this is read from " + std::string(accepted) + "; read another C++ type or cast in the statement");
}

Error value_error(const Cell& cell, std::string_view wanted, std::string_view hint) {
    return misread(place(cell) + " of type " + type_name(cell.type) + " is not " + std::string(wanted) + ": " + shown(cell),
                   std::string(hint));
}

}  // namespace howdah::inline v0
