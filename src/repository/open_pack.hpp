#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "repository/object.hpp"
#include "repository/pack_reader.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// The part of a piece that lies in one frame.
struct FramePart {
    std::uint32_t frame = 0, position = 0, length = 0, file = 0;
    std::uint64_t offset = 0;  ///< In the file.
};

struct PackSource;

/// One pack, open for the pieces that are wanted of it. After construction, and load_hashes() where hashes are wanted, it is read-only, so
/// that several workers, each with a context of its own, share it.
class OpenPack {
public:
    /// Reads the pack's directory and cuts the pieces at the frames. Damage, and pieces that lie outside the pack, are
    /// Failure(operation).
    OpenPack(const Repository& repository, const ClusterArea& area, const PackId& pack, const std::vector<Piece>& pieces);

    /// By frame and position.
    std::span<const FramePart> parts() const { return parts_; }
    /// The parts cut into shares that begin with a frame and cover about so many plain bytes: where each begins, and the end at last.
    std::vector<std::size_t> shares(std::uint64_t plain_bytes) const;
    std::uint32_t plain_bytes(std::uint32_t frame) const { return reader_.directory()[frame].plain_bytes; }
    /// Of the frames [first, first + count).
    std::uint64_t stored_bytes(std::uint32_t first, std::uint32_t count) const;

    /// Gives each frame's plain bytes in order; neighbours are fetched by one ranged get of a few MiB.
    void read_frames(std::uint32_t first, std::uint32_t count, SealContext& context,
                     const std::function<void(std::uint32_t frame, std::span<const std::byte> plain)>& visit) const {
        reader_.read_frames(first, count, context, visit);
    }

    /// Reads the keyed hashes of all data frames' blocks. They are authenticated like every frame; a number that does not fit the data
    /// frames is damage.
    void load_hashes(SealContext& context);
    /// Those of one data frame, one for each kHashedBlockBytes of its plain bytes; empty before load_hashes().
    std::span<const std::uint64_t> hashes(std::uint32_t frame) const;

private:
    OpenPack(const Repository& repository, PackSource source, const std::vector<Piece>& pieces);

    std::string name_;  ///< Of the generation that counts.
    ObjectReader reader_;
    std::vector<FramePart> parts_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> first_hash_;  ///< By frame.
};

}  // namespace howdah::repository
