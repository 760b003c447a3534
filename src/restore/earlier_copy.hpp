#pragma once

#include <filesystem>
#include <string>

#include "base/units.hpp"

namespace howdah::restore {

/// Failure(operation) unless the folder is a stopped data directory of the cluster with that system identifier, by its pg_control, that
/// this user owns. Touches nothing.
void require_earlier_copy(const std::filesystem::path& data_directory, base::SystemIdentifier system);

/// Failure(operation) when a server of this host works in the folder, or in a data directory that links it as a tablespace. A server in
/// a process namespace that cannot be seen from here is found by its postmaster.pid and its socket only.
void require_no_server(const std::filesystem::path& data_directory);
void require_no_server_behind(const std::filesystem::path& tablespace);

/// Whether one of the data directory's links of tablespaces leads to this folder, so that what lies there is this data directory's.
bool links_tablespace(const std::filesystem::path& data_directory, const std::filesystem::path& folder);

}  // namespace howdah::restore
