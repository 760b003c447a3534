#pragma once

#include <optional>
#include <string>

#include "archive/coverage.hpp"
#include "repository/backups.hpp"
#include "restore/plan.hpp"

namespace howdah::restore {

/// Looks on the path, from the backup's redo point on, for the record at which recovery to a name or a transaction ends: PostgreSQL ends
/// at the first that fits. None for the other targets. Failure(operation) when there is no such record, or when the first one lies within
/// the backup, where recovery may not end. Reads trailers, and for a transaction the segments whose trailers say that it may end there.
/// Adds to `notes` what else a person should know: further restore points of that name, a transaction that was rolled back.
std::optional<FoundTarget> find_target(const archive::WalArchive& wal, const archive::WalPath& path, const repository::Root& root,
                                       const Target& target, std::vector<std::string>& notes);

}  // namespace howdah::restore
