#pragma once

#include <filesystem>

namespace howdah::archive {

/// Whether the server of this data directory runs on this host, by its postmaster.pid (source of its lines: miscadmin.h). The process of
/// that number is the server when the data directory is its working directory, as every server's is: after a crash the number may be
/// another program's. One that cannot be looked at counts as the server. When no process here has the number, it runs when another process
/// named like a server works in the data directory (a server in a container, or what a killed one left), or when its socket is here and
/// answers, unless the socket's lock file names another server.
bool server_runs(const std::filesystem::path& data_directory);

}  // namespace howdah::archive
