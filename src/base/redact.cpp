#include <algorithm>
#include <cctype>
#include <cstddef>

#include "base/log.hpp"

namespace howdah::base {

namespace {

constexpr std::string_view kMask = "***";
constexpr auto kNowhere = std::string_view::npos;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)); }

bool ends_with_ignoring_case(std::string_view text, std::string_view ending) {
    if (text.size() < ending.size()) return false;
    const std::string_view tail = text.substr(text.size() - ending.size());
    return std::equal(tail.begin(), tail.end(), ending.begin(),
                      [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

bool names_a_secret(std::string_view word) {
    return ends_with_ignoring_case(word, "password") || ends_with_ignoring_case(word, "passphrase");
}

std::size_t skip_space(std::string_view text, std::size_t at) {
    while (at < text.size() && is_space(text[at])) ++at;
    return at;
}

/// The position after a quoted value that opens at `at`. Backslashes protect the next character (conninfo, TOML), a doubled quote is
/// one quote (SQL). A value never closed reaches to the end.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
    const char quote = text[at];
    for (std::size_t i = at + 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == quote) {
            if (i + 1 >= text.size() || text[i + 1] != quote) return i + 1;
            ++i;
        }
    }
    return text.size();
}

std::size_t end_of_plain(std::string_view text, std::size_t at, bool in_url) {
    for (; at < text.size() && !is_space(text[at]); ++at) {
        if (in_url && (text[at] == '&' || text[at] == '#')) break;
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
    }
    return at;
}

/// Where the value of the secret word that spans [start, end) begins, or nowhere when none follows.
std::size_t value_after(std::string_view text, std::size_t end) {
    const std::size_t next = skip_space(text, end);
    if (next >= text.size()) return kNowhere;
    if (text[next] == '=') {
        const std::size_t value = skip_space(text, next + 1);
        return value < text.size() ? value : kNowhere;
    }
    // ALTER ROLE ... PASSWORD 'secret'
    return text[next] == '\'' ? next : kNowhere;
}

/// The password part of "://user:password@": its span, or nowhere. An unencoded '@' or '/' in a password must not uncover the rest of
/// it, so it reaches to the last '@' before a blank or a quote; "://host:5432/..." is a port and stays.
struct Span {
    std::size_t begin = kNowhere;
    std::size_t end = kNowhere;
};
Span password_in_url(std::string_view text, std::size_t authority) {
    std::size_t end = authority;
    while (end < text.size() && !is_space(text[end]) && std::string_view("'\"`<>").find(text[end]) == kNowhere) ++end;
    const std::string_view run = text.substr(authority, end - authority);
    const std::size_t colon = run.find_first_of(":/?#");
    const std::size_t at = run.rfind('@');
    if (colon == kNowhere || run[colon] != ':' || at == kNowhere || at < colon) return {};
    const std::size_t digits_end = run.find_first_not_of("0123456789", colon + 1);
    if (digits_end != kNowhere && digits_end > colon + 1 && run[digits_end] == '/') return {};
    return {authority + colon + 1, authority + at};
}

}  // namespace

std::string redact(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        if (is_word(text[at])) {
            const std::size_t start = at;
            while (at < text.size() && is_word(text[at])) ++at;
            safe += text.substr(start, at - start);
            if (!names_a_secret(text.substr(start, at - start))) continue;
            const std::size_t value = value_after(text, at);
            if (value == kNowhere) continue;
            const bool in_url = start > 0 && (text[start - 1] == '?' || text[start - 1] == '&');
            const bool quoted = text[value] == '\'' || text[value] == '"';
            safe += text.substr(at, value - at);
            safe += kMask;
            at = quoted ? end_of_quoted(text, value) : end_of_plain(text, value, in_url);
        } else if (text.substr(at).starts_with("://")) {
            safe += "://";
            at += 3;
            const Span secret = password_in_url(text, at);
            if (secret.begin == kNowhere) continue;
            safe += text.substr(at, secret.begin - at);
            safe += kMask;
            at = secret.end;
        } else {
            safe += text[at++];
        }
    }
    return safe;
}

}  // namespace howdah::base
