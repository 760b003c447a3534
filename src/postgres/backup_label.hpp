#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace howdah::postgres {

/// The fields of a backup_label that pg_backup_stop returned (access/xlogbackup.c).
struct BackupLabel {
    base::Lsn start;
    std::string start_segment;
    base::Lsn checkpoint;
    base::Timeline timeline;
    bool from_standby = false;
};
/// Failure(operation) naming the line that is missing.
BackupLabel parse_backup_label(std::string_view text);

/// A line of tablespace_map: "OID PATH", newlines and backslashes in the path escaped by a backslash.
struct TablespaceMapEntry {
    std::uint32_t oid = 0;
    std::string path;
};
std::vector<TablespaceMapEntry> parse_tablespace_map(std::string_view text);
std::string write_tablespace_map(const std::vector<TablespaceMapEntry>& entries);

}  // namespace howdah::postgres
