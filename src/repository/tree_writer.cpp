#include <algorithm>

#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/random.hpp"
#include "repository/damage.hpp"
#include "repository/gc.hpp"
#include "repository/pack_writer.hpp"

namespace howdah::repository {

TreeWriter::TreeWriter(const Repository& repository, const ClusterArea& area)
    : repository_(&repository), area_(area), doomed_(read_doomed(repository)) {
    std::ranges::sort(doomed_);
}

std::string TreeWriter::put(Kind kind, const std::string& bytes) {
    storage::Store& store = repository_->store();
    const auto object = [&](const std::string& name) { return kind == Kind::tree ? area_.tree(name) : area_.map(name); };
    std::string name = repository_->key().content_name(word(kind), base::as_bytes(bytes));
    // gc may be about to delete an object on its list, so a doomed one is written anew under a name that nothing else has.
    if (std::ranges::binary_search(doomed_, object(name)) && base::guard("repository.doomed")) name = base::random_hex(16);
    if (const auto there = read_document(store, repository_->key(), kind, object(name))) {
        if (*there != bytes) throw_damaged(object(name), "its content is not the one its name says");
        return name;
    }
    write_document(store, repository_->key(), kind, object(name), bytes);
    if (const auto written = store.open(object(name))) stored_ += {written->size()};
    base::fault_point("repository.tree_committed");
    return name;
}

void TreeWriter::settle_extents(FileEntry& entry) {
    if (entry.extents.size() <= kInlineExtents) return;
    entry.map = put(Kind::map, encode_map(entry.extents));
    entry.extents.clear();
}

std::string TreeWriter::write(const Tree& tree) { return put(Kind::tree, encode_tree(tree)); }

}  // namespace howdah::repository
