#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/gc.hpp"
#include "repository/ledger.hpp"
#include "repository/mark.hpp"
#include "repository/pack_generations.hpp"

namespace howdah::repository {

std::vector<Doomed> read_doomed_list(const Repository& repository) {
    const Chain chain(repository, Kind::doomed, kDoomedPrefix);
    const auto newest = chain.newest();
    return newest ? decode_doomed(newest->body, chain.link_name(newest->number)) : std::vector<Doomed>{};
}

std::vector<std::string> read_doomed(const Repository& repository) {
    std::vector<std::string> names;
    for (const Doomed& object : read_doomed_list(repository)) {
        names.push_back(object.name);
        // Manifests know a pack by its first generation, and whichever goes, none of its frames may be shared now.
        if (const std::string first = first_generation(object.name); first != object.name) names.push_back(first);
    }
    return names;
}

}  // namespace howdah::repository
