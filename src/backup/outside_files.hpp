#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "backup/file_list.hpp"
#include "postgres/cluster_facts.hpp"
#include "repository/manifest.hpp"

namespace howdah::backup {

/// Configuration files that the server reads from outside its data directory (Debian keeps them in /etc/postgresql): the three main files
/// and every file they name (include, include_if_exists, include_dir, "@file" among databases and users), as far as this role and this
/// user may see them; what they may not is in the warnings. Roles: config_file, hba_file, ident_file, include, rules, names.
struct OutsideFiles {
    std::vector<repository::OutsideFile> named;  ///< For the root.
    std::vector<ListedFile> listed;              ///< For the copy. Their paths are absolute, so that none is one of the data directory's.
    std::vector<std::string> warnings;
};
OutsideFiles find_outside_files(postgres::Session& session, const postgres::ClusterFacts& facts,
                                const std::filesystem::path& data_directory);

}  // namespace howdah::backup
