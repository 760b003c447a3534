#pragma once

#include <cstdint>

#include "support/protected_server.hpp"

namespace howdah::tests {

/// A server whose files nobody knows are many: what a cluster with a table for each tenant looks like to a backup.
ProtectedServer::Options without_checksums();

/// Adds that many files of one page to the database `postgres`, numbered from `first` on: tables, one in ten empty, some of the maps that
/// are always read, some with odd names. The server does not look at them. They are sparse, so that they take little room.
void add_files(ProtectedServer& protectee, unsigned first, unsigned count);

/// Adds a relation of that many segments of 1 GiB that are holes but for a page in every eighth. Returns its number.
std::uint32_t add_sparse_relation(ProtectedServer& protectee, unsigned segments);

/// Writes into every twentieth of the maps, and adds a hundredth more files.
void change_files(ProtectedServer& protectee, unsigned first, unsigned count);

/// Loses a segment of the archive and of the server, so that the next incremental must compare everything.
void lose_segment(ProtectedServer& protectee);

}  // namespace howdah::tests
