#include "repository/pack_id.hpp"

#include "base/random.hpp"
#include "repository/crypto.hpp"

namespace howdah::repository {

PackId PackId::random() {
    PackId id;
    base::fill_random(id.bytes);
    return id;
}

std::optional<PackId> PackId::parse(std::string_view text) {
    PackId id;
    return crypto::from_hex(text, id.bytes) ? std::optional(id) : std::nullopt;
}

std::string PackId::text() const { return crypto::to_hex(bytes); }

}  // namespace howdah::repository
