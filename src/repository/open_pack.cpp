#include "repository/open_pack.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "repository/damage.hpp"
#include "repository/pack_generations.hpp"

namespace howdah::repository {

namespace {

PackSource open_source(const Repository& repository, const ClusterArea& area, const PackId& pack) {
    auto source = open_generation(repository, area, pack);
    if (!source) throw_damaged(area.pack(pack), "it is missing");
    return std::move(*source);
}

std::vector<FramePart> cut(const std::vector<Piece>& pieces, const std::vector<FrameEntry>& directory, const std::string& name) {
    std::vector<FramePart> parts;
    parts.reserve(pieces.size());
    for (const Piece& piece : pieces) {
        std::uint64_t left = piece.length, offset = piece.offset;
        std::uint32_t position = piece.position;
        for (std::uint64_t frame = piece.frame; left > 0; ++frame, position = 0) {
            if (frame >= directory.size() || directory[frame].frame_class != FrameClass::data)
                throw_damaged(name, fmt::format("it has no data frame {}", frame));
            const std::uint32_t plain = directory[frame].plain_bytes;
            if (position >= plain) throw_damaged(name, fmt::format("frame {} has no byte {}", frame, position));
            const std::uint64_t part = std::min<std::uint64_t>(left, plain - position);
            if (part < left && plain != kFrameBytes) throw_damaged(name, fmt::format("frame {} has only {} bytes", frame, plain));
            parts.push_back({static_cast<std::uint32_t>(frame), position, static_cast<std::uint32_t>(part), piece.file, offset});
            left -= part;
            offset += part;
        }
    }
    std::ranges::sort(parts,
                      [](const FramePart& a, const FramePart& b) { return std::tie(a.frame, a.position) < std::tie(b.frame, b.position); });
    return parts;
}

std::uint32_t blocks_of(const FrameEntry& entry) {
    if (entry.frame_class != FrameClass::data) return 0;
    return static_cast<std::uint32_t>((entry.plain_bytes + kHashedBlockBytes - 1) / kHashedBlockBytes);
}

}  // namespace

OpenPack::OpenPack(const Repository& repository, const ClusterArea& area, const PackId& pack, const std::vector<Piece>& pieces)
    : OpenPack(repository, open_source(repository, area, pack), pieces) {}

OpenPack::OpenPack(const Repository& repository, PackSource source, const std::vector<Piece>& pieces)
    : name_(source.object),
      reader_(std::move(source.source), repository.key(), Kind::pack, name_),
      parts_(cut(pieces, reader_.directory(), name_)) {}

std::vector<std::size_t> OpenPack::shares(std::uint64_t plain) const {
    std::vector<std::size_t> begins{0};
    std::uint64_t bytes = 0;
    for (std::size_t i = 1; i < parts_.size(); ++i) {
        if (parts_[i].frame == parts_[i - 1].frame) continue;
        bytes += plain_bytes(parts_[i - 1].frame);
        if (bytes < plain) continue;
        begins.push_back(i);
        bytes = 0;
    }
    if (!parts_.empty()) begins.push_back(parts_.size());
    return begins;
}

std::uint64_t OpenPack::stored_bytes(std::uint32_t first, std::uint32_t count) const {
    const auto& last = reader_.directory()[first + count - 1];
    return last.offset + last.stored_bytes - reader_.directory()[first].offset;
}

void OpenPack::load_hashes(SealContext& context) {
    if (!hashes_.empty()) return;
    const auto& directory = reader_.directory();
    std::vector<std::uint32_t> first_hash;
    std::uint32_t blocks = 0;
    std::vector<std::uint64_t> hashes;
    for (std::uint32_t frame = 0; frame < directory.size(); ++frame) {
        first_hash.push_back(blocks);
        blocks += blocks_of(directory[frame]);
        if (directory[frame].frame_class != FrameClass::block_hashes) continue;
        std::vector<std::byte> bytes;
        reader_.read_frame(frame, context, bytes);
        hashes.resize(bytes.size() / sizeof(std::uint64_t));
        std::memcpy(hashes.data(), bytes.data(), hashes.size() * sizeof(std::uint64_t));
    }
    first_hash.push_back(blocks);
    if (hashes.size() != blocks) throw_damaged(name_, fmt::format("it has {} block hashes for {} blocks", hashes.size(), blocks));
    first_hash_ = std::move(first_hash);
    hashes_ = std::move(hashes);
}

std::span<const std::uint64_t> OpenPack::hashes(std::uint32_t frame) const {
    if (hashes_.empty()) return {};
    return std::span(hashes_).subspan(first_hash_[frame], first_hash_[frame + 1] - first_hash_[frame]);
}

}  // namespace howdah::repository
