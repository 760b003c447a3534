#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "archive/coverage.hpp"
#include "repository/backups.hpp"

namespace howdah::restore {

/// Where recovery is to end.
struct ToLatest {};
struct ToTime {
    base::Timestamp time;
};
struct ToLsn {
    base::Lsn lsn;
};
/// At the backup's own end: the first consistent moment.
struct ToBackupEnd {};
/// At the first restore point of that name (pg_create_restore_point).
struct ToName {
    std::string name;
};
/// With the end of that transaction, commit or rollback.
struct ToXid {
    base::Xid xid;
};
using Target = std::variant<ToLatest, ToTime, ToLsn, ToBackupEnd, ToName, ToXid>;
std::string describe(const Target& target);

struct PlanRequest {
    std::string cluster;
    std::string backup_id;  ///< Empty: chosen by the target.
    Target target;
    std::optional<base::Timeline> timeline;  ///< None: the newest that can be reached.
    /// Other repositories that recovery will fetch WAL from, where the backup's own lacks it.
    std::vector<const repository::Repository*> wal_repositories = {};
};

/// A tablespace that the WAL to be replayed creates at an absolute path, which no mapping can change (trap T16).
struct ReplayedTablespace {
    std::uint32_t oid = 0;
    std::string path;
    base::Lsn lsn;
};

/// Where the WAL has what a name or a transaction's number means.
struct FoundTarget {
    base::Lsn lsn;  ///< End of the record that ends recovery.
    base::Timestamp time;
};

/// What a restore will do, decided before a byte is copied.
struct Plan {
    repository::Backup backup;
    Target target;
    base::Timeline timeline;                ///< Where recovery ends; written as a number, so that a newer branch is never followed (T21).
    std::optional<FoundTarget> found = {};  ///< Of ToName and ToXid.
    archive::WalPath path;                  ///< Cut to what the target needs.
    archive::CommitSpan commits;            ///< Along the path.
    std::vector<ReplayedTablespace> tablespaces;
    std::vector<std::string> notes;   ///< Newer backups that were passed over and why, and what the target is not, as sentences.
    std::vector<std::string> doubts;  ///< Segments on the path that could not be read whole, so that tablespaces may be unseen.
};

/// Chooses the backup and the way through the WAL. A backup serves a target only when its stop is not after it (trap T21). Of those that
/// serve, the newest one from which the WAL leads to the target is taken; when there is none, the failure is the newest one's.
/// Failure(operation) when there is no backup or none early enough, when the target lies after the archived WAL, when a segment on the way is missing or
/// the timeline cannot be reached (trap T17); each says what there is instead.
Plan make_plan(const repository::Repository& repository, const PlanRequest& request);

}  // namespace howdah::restore
