#include "backup/file_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hooks.hpp"

namespace howdah::backup {

namespace {

/// Takes a decimal number off the front.
std::optional<std::uint32_t> take_number(std::string_view& text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// "t3_16397", also with fork and segment: a temporary relation of backend 3.
bool is_temporary_relation(std::string_view name) {
    if (!name.starts_with('t')) return false;
    name.remove_prefix(1);
    if (!take_number(name) || !name.starts_with('_')) return false;
    name.remove_prefix(1);
    return parse_relation_file(name).has_value();
}

}  // namespace

std::optional<RelationFile> parse_relation_file(std::string_view name) {
    RelationFile file;
    const auto filenode = take_number(name);
    if (!filenode) return std::nullopt;
    file.filenode = *filenode;
    if (name.starts_with('_')) {
        const auto end = std::min(name.find('.'), name.size());
        file.fork = name.substr(1, end - 1);
        if (file.fork != "fsm" && file.fork != "vm" && file.fork != "init") return std::nullopt;
        name.remove_prefix(end);
    }
    if (name.starts_with('.')) {
        name.remove_prefix(1);
        const auto segment = take_number(name);
        if (!segment) return std::nullopt;
        file.segment = *segment;
    }
    if (!name.empty()) return std::nullopt;
    return file;
}

bool holds_relations(std::string_view folder) {
    if (folder == "global") return true;
    if (folder.starts_with("base/")) return folder.find('/', 5) == std::string_view::npos;
    if (!folder.starts_with("pg_tblspc/")) return false;
    return std::count(folder.begin(), folder.end(), '/') == 3 && folder.find("/PG_") != std::string_view::npos;
}

bool is_tablespace(std::string_view path) {
    constexpr std::string_view kFolder = "pg_tblspc/";
    if (!path.starts_with(kFolder)) return false;
    path.remove_prefix(kFolder.size());
    return take_number(path) && path.empty();
}

bool contents_left_out(std::string_view folder) {
    if (!base::guard("T12.excluded")) return folder == "pg_wal";
    static constexpr std::array<std::string_view, 8> kFolders{"pg_wal",    "pg_replslot",  "pg_dynshmem", "pg_notify",
                                                              "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"};
    return contains(kFolders, folder);
}

bool name_left_out(std::string_view name) {
    if (!base::guard("T12.excluded")) return false;
    return name == "postmaster.pid" || name == "postmaster.opts" || name.starts_with("pg_internal.init") || name.starts_with("pgsql_tmp") ||
           name == "postgresql.auto.conf.tmp" || name == "current_logfiles.tmp" || is_temporary_relation(name);
}

bool top_file_left_out(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kFiles{"backup_label",       "backup_label.old", "tablespace_map",
                                                            "tablespace_map.old", "backup_manifest",  "current_logfiles"};
    return contains(kFiles, name);
}

}  // namespace howdah::backup
