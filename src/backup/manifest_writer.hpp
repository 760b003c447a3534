#pragma once

#include <map>
#include <string>
#include <vector>

#include "repository/manifest.hpp"
#include "repository/pack_writer.hpp"
#include "repository/repository.hpp"

namespace howdah::backup {

/// Where an entry's tree begins: "base/16384" for a database's files, "global", "pg_tblspc/16400/PG_15_202209061/5",
/// repository::kOutsideRoot for absolute paths, and "" for all the rest.
std::string tree_root(const std::string& path);

struct WrittenTrees {
    std::vector<repository::TreeReference> references;
    base::Bytes stored;
};

/// Stores entries as trees of at most kTreeEntries, grouped by tree_root and sorted by path, so that what did not change since an
/// earlier backup is the same object. A tree is stored as soon as it is full or its folder has ended: memory holds the begun ones.
class ManifestWriter {
public:
    ManifestWriter(const repository::Repository& repository, const repository::ClusterArea& area) : writer_(repository, area) {}

    /// Paths must rise.
    void add(repository::FileEntry entry);
    WrittenTrees finish();

private:
    void end_folders_before(const std::string& path);
    void write(const std::string& root, repository::Tree& tree);

    repository::TreeWriter writer_;
    std::map<std::string, repository::Tree> begun_;  ///< By root.
    std::vector<repository::TreeReference> references_;
};

}  // namespace howdah::backup
