#include "base/json_text.hpp"

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>

namespace howdah::base {

namespace {

/// The length of the valid UTF-8 sequence of more than one byte at the start of `text`, 0 for none (RFC 3629 section 4).
std::size_t sequence_length(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = at(0);
    const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                               : first >= 0xE0 && first <= 0xEF ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((at(i) & 0xC0) != 0x80) return 0;
    // Overlong forms, surrogates and values above U+10FFFF show in the second byte.
    const std::uint8_t second = at(1);
    const bool invalid = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
                         (first == 0xF4 && second > 0x8F);
    return invalid ? 0 : length;
}

void append_ascii(std::string& quoted, char c) {
    switch (c) {
        case '"': quoted += "\\\""; break;
        case '\\': quoted += "\\\\"; break;
        case '\n': quoted += "\\n"; break;
        case '\r': quoted += "\\r"; break;
        case '\t': quoted += "\\t"; break;
        default:
            if (c < 0x20 || c == 0x7F)
                quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
            else
                quoted += c;
    }
}

}  // namespace

std::string json_quote(std::string_view text) {
    std::string quoted = "\"";
    quoted.reserve(text.size() + 2);
    while (!text.empty()) {
        std::size_t taken = 1;
        if (static_cast<std::uint8_t>(text.front()) < 0x80) {
            append_ascii(quoted, text.front());
        } else if (const std::size_t length = sequence_length(text)) {
            quoted += text.substr(0, length);
            taken = length;
        } else {
            quoted += "\\ufffd";
        }
        text.remove_prefix(taken);
    }
    return quoted += '"';
}

}  // namespace howdah::base
