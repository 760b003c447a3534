#include "backup/manifest_writer.hpp"

#include <algorithm>
#include <map>

#include "backup/file_rules.hpp"
#include "repository/pack_writer.hpp"

namespace howdah::backup {

std::string tree_root(const std::string& path) {
    if (path.starts_with('/')) return repository::kOutsideRoot;
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {};
    auto folder = path.substr(0, slash);
    return holds_relations(folder) ? folder : std::string();
}

WrittenTrees write_trees(const repository::Repository& repository, const repository::ClusterArea& area,
                         std::vector<repository::FileEntry> entries) {
    std::map<std::string, std::vector<repository::FileEntry>> groups;
    for (auto& entry : entries) {
        auto root = tree_root(entry.path);
        if (!root.empty()) entry.path.erase(0, root == repository::kOutsideRoot ? 1 : root.size() + 1);
        groups[std::move(root)].push_back(std::move(entry));
    }
    WrittenTrees written;
    repository::TreeWriter writer(repository, area);
    for (auto& [root, group] : groups) {
        std::sort(group.begin(), group.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
        for (std::size_t first = 0; first < group.size(); first += repository::kTreeEntries) {
            repository::Tree tree;
            repository::TreeReference reference{.root = root, .name = {}, .files = 0, .bytes = {}};
            for (std::size_t i = first; i < std::min(group.size(), first + repository::kTreeEntries); ++i) {
                writer.settle_extents(group[i]);
                reference.files += group[i].type == repository::EntryType::file;
                reference.bytes += {group[i].size};
                tree.entries.push_back(std::move(group[i]));
            }
            reference.name = writer.write(tree);
            written.references.push_back(std::move(reference));
        }
    }
    written.stored = writer.stored();
    return written;
}

}  // namespace howdah::backup
