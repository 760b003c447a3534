#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "repository/sealing.hpp"

namespace howdah::repository {

/// Keyed XXH3-64 of bytes that come in pieces of any size, under a key derived from the data key for `purpose`. For what this host keeps
/// for a while; objects have seals.
class PieceHash {
public:
    PieceHash(const DataKey& key, std::string_view purpose);
    ~PieceHash();
    PieceHash(const PieceHash&) = delete;
    PieceHash& operator=(const PieceHash&) = delete;

    void add(std::span<const std::byte> piece);
    std::uint64_t value() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace howdah::repository
