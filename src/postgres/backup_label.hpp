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
/// Failure(operation) naming the line that is missing or malformed. A label text cannot pass for a line: the timeline must be the
/// segment's, and of several lines the first counts.
BackupLabel parse_backup_label(std::string_view text);

/// A line of tablespace_map: "OID PATH", newlines, carriage returns and backslashes in the path escaped by a backslash (access/xlog.c).
struct TablespaceMapEntry {
    std::uint32_t oid = 0;
    std::string path;
};
/// Failure(operation) with the number of the malformed line.
std::vector<TablespaceMapEntry> parse_tablespace_map(std::string_view text);
std::string write_tablespace_map(const std::vector<TablespaceMapEntry>& entries);

}  // namespace howdah::postgres
