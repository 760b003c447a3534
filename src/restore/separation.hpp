#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "restore/target_directory.hpp"

namespace howdah::restore {

/// A folder that belongs to somebody else: a repository, the data directory or a tablespace of a configured cluster.
struct ForeignFolder {
    std::filesystem::path folder;
    std::string what;                  ///< As a sentence names it: "the repository main".
    bool may_be_target = false;        ///< The folder itself may be restored into when it is empty: a lost cluster's own places.
    std::filesystem::path owner = {};  ///< The data directory of the cluster whose folder it is; empty for a repository.
};

/// The data directory and the folders behind the tablespaces' links of a cluster, as far as this user can look.
std::vector<ForeignFolder> folders_of_cluster(const std::string& name, const std::filesystem::path& data_directory);

/// Failure(operation) when a destination lies inside one of these folders, inside any other data directory (a folder above it holds
/// PG_VERSION), or inside another destination: the next backup, check or verify of what is around it would find files that are not its own.
void require_separate(const Destinations& destinations, const std::vector<ForeignFolder>& foreign);

/// For destinations that hold files, which are changed and removed: Failure(operation) when one of them is also a folder of another
/// configured cluster, or holds somebody else's folder or something to keep (a repository, a key, a configuration).
void require_unshared(const Destinations& destinations, const std::vector<std::filesystem::path>& filled,
                      const std::vector<ForeignFolder>& foreign, const std::vector<std::filesystem::path>& keep);

}  // namespace howdah::restore
