#pragma once

#include <vector>

#include "repository/manifest.hpp"
#include "repository/repository.hpp"

namespace howdah::backup {

/// Where an entry's tree begins: "base/16384" for a database's files, "global", "pg_tblspc/16400/PG_15_202209061/5",
/// repository::kOutsideRoot for absolute paths, and "" for all the rest.
std::string tree_root(const std::string& path);

struct WrittenTrees {
    std::vector<repository::TreeReference> references;
    base::Bytes stored;
};

/// Stores the entries as trees of at most kTreeEntries, grouped by tree_root and sorted by path, so that what did not change since an
/// earlier backup is the same object.
WrittenTrees write_trees(const repository::Repository& repository, const repository::ClusterArea& area,
                         std::vector<repository::FileEntry> entries);

}  // namespace howdah::backup
