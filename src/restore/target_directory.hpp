#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "repository/manifest.hpp"

namespace howdah::restore {

/// Name of the mark in a directory whose restore is not finished: it says which backup of which repository. It is the first file
/// written and the last removed.
inline constexpr const char* kMark = "howdah-unfinished-restore";

/// Where the data directory and each tablespace go.
struct Destinations {
    std::filesystem::path data_directory;
    std::map<std::uint32_t, std::filesystem::path> tablespaces;  ///< By OID; in-place ones are not here.
};

/// Decides the destinations: each tablespace by its mapping ("OID=DIR", "NAME=DIR" or "OLDPATH=DIR"), else where it was. In a sandbox
/// every one is a folder beside the data directory. Failure(usage) for a mapping that fits no tablespace, or two for one folder.
Destinations decide_destinations(const repository::Root& root, const std::filesystem::path& data_directory,
                                 const std::vector<std::string>& mappings, bool sandbox);

/// Each destination must be absent, empty, or bear the mark of an unfinished restore of the same backup: those are returned. Anything else
/// is Failure(operation), a mark that a live restore holds Failure(locked). Touches nothing.
std::vector<std::filesystem::path> check_destinations(const Destinations& destinations, const std::string& repository_id,
                                                      const repository::Root& root);

/// The marks of all destinations, open and locked (flock): no other restore empties or writes these folders while they live.
using Claims = std::vector<base::File>;

/// Checks the destinations, makes the folders, locks all their marks, and only then empties those that an earlier run began and marks
/// them durably. Failure(locked) when a live restore holds one.
Claims prepare_destinations(const Destinations& destinations, const std::string& repository_id, const repository::Root& root);

/// Removes the marks and lets go of them: the restore is whole.
void unmark_destinations(const Destinations& destinations, Claims claims);

}  // namespace howdah::restore
