#pragma once

#include "archive/status.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace howdah::cli {

/// The WAL's state as `wal status` and `backup status` show it.
Json describe_wal_status(const archive::WalStatus& status);
void add_wal_status(Table& table, const archive::WalStatus& status);

}  // namespace howdah::cli
