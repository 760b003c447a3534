#include "restore/moved_text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>

#include "postgres/config_text.hpp"
#include "restore/recovery_settings.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;
using postgres::FileReference;

constexpr const char* kBefore = "# before the restore: ";

/// What a reference must say now; none when it leads to the right place as it is, or to a file that was not moved.
std::optional<std::string> new_path(const FileReference& reference, const fs::path& from, const fs::path& to, const Moves& moves) {
    const auto old_target = (from.parent_path() / reference.path).lexically_normal();
    const bool folder = reference.kind == FileReference::Kind::folder;
    const auto moved = std::find_if(moves.begin(), moves.end(), [&](const auto& move) {
        const fs::path old(move.first);
        return (folder ? old.parent_path() : old) == old_target;
    });
    if (moved == moves.end()) return std::nullopt;
    const auto target = folder ? moved->second.parent_path() : moved->second;
    if ((to.parent_path() / reference.path).lexically_normal() == target) return std::nullopt;
    return target.lexically_relative(to.parent_path()).string();
}

/// A relative path is meant from the folder in which the server is started: as a rule, and by `restore --start`, the data directory. So it
/// stays there unless a file of that name was outside.
bool is_inside(const fs::path& value, const Moves& moves) {
    const auto path = value.lexically_normal();
    if (path.empty() || path.is_absolute() || *path.begin() == "..") return false;
    return std::none_of(moves.begin(), moves.end(), [&](const auto& move) { return move.first.ends_with("/" + path.string()); });
}

bool names_place_of_old_host(const postgres::SettingLine& setting, const Moves& moves) {
    static constexpr std::array<std::string_view, 2> kAlways{"data_directory", "config_file"};
    static constexpr std::array<std::string_view, 3> kOutside{"hba_file", "ident_file", "external_pid_file"};
    if (std::find(kAlways.begin(), kAlways.end(), setting.name) != kAlways.end()) return true;
    return std::find(kOutside.begin(), kOutside.end(), setting.name) != kOutside.end() && !is_inside(setting.value, moves);
}

template <typename Rewrite>
std::string by_line(const std::string& text, Rewrite rewrite) {
    std::istringstream in(text);
    std::string out;
    for (std::string line; std::getline(in, line);) {
        const auto changed = rewrite(line);
        out += changed ? kBefore + line + "\n" + *changed : line + "\n";
    }
    return out;
}

}  // namespace

std::string moved_settings(const std::string& text, const fs::path& from, const fs::path& to, const Moves& moves) {
    return by_line(text, [&](const std::string& line) -> std::optional<std::string> {
        const auto setting = postgres::parse_setting_line(line);
        if (!setting) return std::nullopt;
        if (names_place_of_old_host(*setting, moves)) return std::string();
        for (const auto& reference : postgres::references_of_settings(line))
            if (const auto path = new_path(reference, from, to, moves)) return setting_line(setting->name, *path);
        return std::nullopt;
    });
}

std::string moved_rules(const std::string& text, const fs::path& from, const fs::path& to, const Moves& moves) {
    return by_line(text, [&](std::string line) -> std::optional<std::string> {
        bool changed = false;
        for (const auto& reference : postgres::references_of_rules(line)) {
            const auto path = new_path(reference, from, to, moves);
            const auto at = line.find(reference.path);
            if (!path || at == std::string::npos) continue;
            line.replace(at, reference.path.size(), *path);
            changed = true;
        }
        return changed ? std::optional(line + "\n") : std::nullopt;
    });
}

}  // namespace howdah::restore
