#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "repository/manifest.hpp"
#include "repository/object.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// A wish for plain bytes: `length` bytes of a pack beginning at (frame, position) go to `file` (the caller's number) at `offset`.
struct Piece {
    std::uint32_t frame = 0;
    std::uint32_t position = 0;
    std::uint64_t length = 0;
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
};

/// Reads each needed frame of one pack once and hands out the pieces' bytes: `scatter(file, offset, bytes)`. Pieces may cross frames
/// and are sorted here. Neighbouring frames are fetched by one ranged get of up to a few MiB. Damage is Failure(operation).
void read_pieces(const Repository& repository, const ClusterArea& area, const PackId& pack, const std::vector<Piece>& pieces,
                 SealContext& context,
                 const std::function<void(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes)>& scatter);

/// One whole small file's bytes from its extents (backup_label, configuration, tests).
std::string read_bytes(const Repository& repository, const ClusterArea& area, const std::vector<Extent>& extents, std::uint64_t size);

}  // namespace howdah::repository
