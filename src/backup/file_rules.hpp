#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::backup {

/// A relation file's name taken apart: "16397_fsm.2" is filenode 16397, fork "fsm", segment 2.
struct RelationFile {
    std::uint32_t filenode = 0;
    std::string_view fork;  ///< "" (main), "fsm", "vm" or "init".
    std::uint32_t segment = 0;
};
/// None when the name is not a permanent relation's (source: storage/file/reinit.c and common/relpath.c).
std::optional<RelationFile> parse_relation_file(std::string_view name);

/// Whether a folder (path relative to the data directory, as in "base/16384" or "pg_tblspc/16400/PG_15_202209061/5") holds relation files.
bool holds_relations(std::string_view folder);

/// Whether a path is a tablespace's link, or its folder when it is in place: "pg_tblspc/" and digits, nothing below.
bool is_tablespace(std::string_view path);

/// Folders that belong to a cluster but whose contents do not belong to a backup; they are recorded empty (trap T12).
bool contents_left_out(std::string_view folder);

/// Files that do not belong to a backup wherever they lie, by their name alone: lock and pid files, relation caches, temporary relations
/// and temporary files (trap T12).
bool name_left_out(std::string_view name);

/// Files of the data directory's top folder that do not belong to a backup: labels of other backups, manifests.
bool top_file_left_out(std::string_view name);

}  // namespace howdah::backup
