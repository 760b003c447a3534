#include "backup/manifest_writer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "backup/file_rules.hpp"

namespace howdah::backup {

std::string tree_root(const std::string& path) {
    if (path.starts_with('/')) return repository::kOutsideRoot;
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {};
    auto folder = path.substr(0, slash);
    return holds_relations(folder) ? folder : std::string();
}

void ManifestWriter::add(repository::FileEntry entry) {
    const auto root = tree_root(entry.path);
    auto begun = begun_.find(root);
    if (begun == begun_.end()) {
        end_folders_before(entry.path);
        begun = begun_.try_emplace(root).first;
    }
    if (!root.empty()) entry.path.erase(0, root == repository::kOutsideRoot ? 1 : root.size() + 1);
    writer_.settle_extents(entry);
    auto& entries = begun->second.entries;
    entries.push_back(std::move(entry));
    if (entries.size() == repository::kTreeEntries) write(root, begun->second);
}

/// Databases' folders of which no more can come. The other roots go on to the end.
void ManifestWriter::end_folders_before(const std::string& path) {
    for (auto begun = begun_.begin(); begun != begun_.end();) {
        const auto& root = begun->first;
        const bool goes_on = root.empty() || root == repository::kOutsideRoot || path.starts_with(root + "/");
        if (!goes_on) write(root, begun->second);
        begun = goes_on ? std::next(begun) : begun_.erase(begun);
    }
}

void ManifestWriter::write(const std::string& root, repository::Tree& tree) {
    if (tree.entries.empty()) return;
    repository::TreeReference reference{.root = root, .name = {}, .files = 0, .bytes = {}};
    for (const auto& entry : tree.entries) {
        reference.files += entry.type == repository::EntryType::file;
        reference.bytes += {entry.size};
    }
    reference.name = writer_.write(tree);
    references_.push_back(std::move(reference));
    tree.entries.clear();
}

WrittenTrees ManifestWriter::finish() {
    for (auto& [root, tree] : begun_) write(root, tree);
    begun_.clear();
    std::ranges::stable_sort(references_, {}, &repository::TreeReference::root);
    return {std::move(references_), writer_.stored()};
}

}  // namespace howdah::backup
