#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/gc.hpp"
#include "repository/ledger.hpp"

namespace howdah::repository {

std::vector<std::string> read_doomed(const Repository& repository) {
    const Chain chain(repository, Kind::doomed, kDoomedPrefix);
    const auto newest = chain.newest();
    std::vector<std::string> names;
    if (!newest) return names;
    for (const Doomed& object : decode_doomed(newest->body, chain.link_name(newest->number))) names.push_back(object.name);
    return names;
}

}  // namespace howdah::repository
