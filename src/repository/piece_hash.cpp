#include "repository/piece_hash.hpp"

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include <array>

#include "base/failure.hpp"
#include "repository/crypto.hpp"

namespace howdah::repository {

struct PieceHash::State {
    std::array<std::byte, XXH3_SECRET_DEFAULT_SIZE> secret;  // The hash refers to it.
    XXH3_state_t xxh;
};

PieceHash::PieceHash(const DataKey& key, std::string_view purpose) : state_(std::make_unique<State>()) {
    auto derived = key.derive({}, purpose);
    const bool made = XXH3_generateSecret(state_->secret.data(), state_->secret.size(), derived.data(), derived.size()) == XXH_OK &&
                      XXH3_64bits_reset_withSecret(&state_->xxh, state_->secret.data(), state_->secret.size()) == XXH_OK;
    crypto::wipe(derived);
    if (!made) throw base::Failure(base::FailureKind::operation, "making a keyed hash failed", "this is a fault of the program");
}

PieceHash::~PieceHash() { crypto::wipe(state_->secret); }

void PieceHash::add(std::span<const std::byte> piece) { XXH3_64bits_update(&state_->xxh, piece.data(), piece.size()); }

std::uint64_t PieceHash::value() const { return XXH3_64bits_digest(&state_->xxh); }

}  // namespace howdah::repository
