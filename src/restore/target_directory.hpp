#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "repository/backups.hpp"

namespace howdah::restore {

/// Name of the mark in a directory whose restore is not finished: it says which backup of which repository. It is the first file
/// written and the last removed.
inline constexpr const char* kMark = "howdah-unfinished-restore";

/// Where the data directory and each tablespace go.
struct Destinations {
    std::filesystem::path data_directory;
    std::map<std::uint32_t, std::filesystem::path> tablespaces;  ///< By OID; in-place ones are not here.
};

/// Decides the destinations: each tablespace by its mapping ("OID=DIR", "NAME=DIR" or "OLDPATH=DIR"), else where it was; with `own_links`
/// first where the link of a data directory that is there already leads. In a sandbox every one is a folder beside the data directory.
/// Failure(usage) for a mapping that fits no tablespace, or two for one folder.
Destinations decide_destinations(const repository::Root& root, const std::filesystem::path& data_directory,
                                 const std::vector<std::string>& mappings, bool sandbox, bool own_links = false);

/// Each destination must be absent, empty, or bear the mark of an unfinished restore of the same backup. With `delta` the data directory
/// may also be an earlier copy of the cluster (earlier_copy.hpp) or bear the mark of another backup of it, and a tablespace's folder may
/// be what that data directory links. Those that hold anything are returned. Anything else is Failure(operation), a mark that a live
/// restore holds Failure(locked). Touches nothing.
std::vector<std::filesystem::path> check_destinations(const Destinations& destinations, const repository::Repository& repository,
                                                      const repository::Backup& backup, bool delta);

/// The marks of all destinations, open and locked (flock): no other restore writes these folders while they live.
using Claims = std::vector<base::File>;

struct Prepared {
    Claims claims;
    std::vector<std::filesystem::path> filled;  ///< Destinations that hold files, which are to be compared and kept or removed.
};

/// Checks the destinations, makes the folders, locks all their marks, looks again, and marks them durably. Failure(locked) when a live
/// restore holds one.
Prepared prepare_destinations(const Destinations& destinations, const repository::Repository& repository, const repository::Backup& backup,
                              bool delta);

/// Removes the marks and lets go of them: the restore is whole.
void unmark_destinations(const Destinations& destinations, Claims claims);

}  // namespace howdah::restore
