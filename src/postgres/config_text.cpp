#include "postgres/config_text.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace howdah::postgres {

namespace {

constexpr std::string_view kBlank = " \t\r\f\v";

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

void skip_blank(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size())); }

/// A value in single quotes: two of them, or a backslash before it, stand for a quote.
std::string quoted_value(std::string_view text) {
    std::string value;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const bool more = i + 1 < text.size();
        if (text[i] == '\\' && more)
            value += text[++i];
        else if (text[i] == '\'' && more && text[i + 1] == '\'')
            value += text[++i];
        else if (text[i] == '\'')
            break;
        else
            value += text[i];
    }
    return value;
}

std::optional<FileReference::Kind> kind_of(const std::string& name) {
    if (name == "include") return FileReference::Kind::file;
    if (name == "include_if_exists") return FileReference::Kind::file_if_exists;
    if (name == "include_dir") return FileReference::Kind::folder;
    return std::nullopt;
}

template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        visit(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

/// Words of a line of rules: separated by blanks and commas, parts in double quotes as they are, up to a comment.
std::vector<std::string> words_of_rule(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool quoted = false, any = false;
    const auto end_word = [&] {
        if (any) words.push_back(std::exchange(word, {}));
        any = false;
    };
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
            // A quoted name that begins with @ names no file.
            if (quoted && !any) word += '"';
            any = true;
        } else if (quoted) {
            word += c;
        } else if (c == '#') {
            break;
        } else if (c == ',' || kBlank.find(c) != std::string_view::npos) {
            end_word();
        } else {
            word += c;
            any = true;
        }
    }
    end_word();
    return words;
}

std::string without_mark(const std::string& word) { return word.starts_with('"') ? word.substr(1) : word; }

}  // namespace

std::optional<SettingLine> parse_setting_line(std::string_view line) {
    skip_blank(line);
    if (line.empty() || line.front() == '#') return std::nullopt;
    const auto end = std::min(line.find_first_of(" \t\r\f\v=#'"), line.size());
    SettingLine setting{lower(line.substr(0, end)), {}};
    line.remove_prefix(end);
    skip_blank(line);
    if (line.starts_with('=')) {
        line.remove_prefix(1);
        skip_blank(line);
    }
    setting.value =
        line.starts_with('\'') ? quoted_value(line) : std::string(line.substr(0, std::min(line.find_first_of(" \t\r\f\v#"), line.size())));
    return setting;
}

std::vector<FileReference> references_of_settings(std::string_view text) {
    std::vector<FileReference> found;
    for_each_line(text, [&](std::string_view line) {
        const auto setting = parse_setting_line(line);
        const auto kind = setting ? kind_of(setting->name) : std::nullopt;
        if (kind && !setting->value.empty()) found.push_back({*kind, setting->value});
    });
    return found;
}

std::vector<FileReference> references_of_rules(std::string_view text) {
    std::vector<FileReference> found;
    for_each_line(text, [&](std::string_view line) {
        const auto words = words_of_rule(line);
        const auto kind = words.size() == 2 ? kind_of(words[0]) : std::nullopt;
        if (kind) return found.push_back({*kind, without_mark(words[1])});
        for (const auto& word : words)
            if (word.size() > 1 && word.front() == '@') found.push_back({FileReference::Kind::names, word.substr(1)});
    });
    return found;
}

}  // namespace howdah::postgres
