#pragma once

#include <string>
#include <vector>

#include "archive/repository_status.hpp"
#include "archive/status.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace howdah::cli {

/// The WAL's state as `wal status` and `backup status` show it.
Json describe_wal_status(const archive::WalStatus& status);
void add_wal_status(Table& table, const archive::WalStatus& status);

/// What `wal status` adds where WAL goes to several repositories.
Json describe_repositories(const std::vector<archive::RepositoryWal>& repositories, std::uint64_t segment_size);
void add_repositories(Table& table, const std::vector<archive::RepositoryWal>& repositories, std::uint64_t segment_size);
/// One repository's state in one line.
std::string say(const archive::RepositoryWal& wal);

}  // namespace howdah::cli
