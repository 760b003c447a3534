#include "repository/pack_reader.hpp"

#include <fmt/core.h>

#include <cstring>
#include <map>

#include "repository/damage.hpp"
#include "repository/open_pack.hpp"

namespace howdah::repository {

void read_pieces(const Repository& repository, const ClusterArea& area, const PackId& pack, const std::vector<Piece>& pieces,
                 SealContext& context,
                 const std::function<void(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes)>& scatter) {
    const OpenPack source(repository, area, pack, pieces);
    const auto parts = source.parts();
    for (std::size_t begin = 0; begin < parts.size();) {
        std::size_t end = begin + 1;
        while (end < parts.size() && parts[end].frame <= parts[end - 1].frame + 1) ++end;
        std::size_t next = begin;
        const std::uint32_t first = parts[begin].frame;
        source.read_frames(first, parts[end - 1].frame - first + 1, context, [&](std::uint32_t frame, std::span<const std::byte> plain) {
            for (; next < end && parts[next].frame == frame; ++next)
                scatter(parts[next].file, parts[next].offset, plain.subspan(parts[next].position, parts[next].length));
        });
        begin = end;
    }
}

std::string read_bytes(const Repository& repository, const ClusterArea& area, const std::vector<Extent>& extents, std::uint64_t size) {
    constexpr std::uint64_t kLimit = 1u << 30;
    if (size > kLimit)
        throw base::Failure(base::FailureKind::operation, fmt::format("file is too large to be read at once: {} bytes", size),
                            "this is a fault of the program");
    std::string bytes(size, '\0');
    std::map<PackId, std::vector<Piece>> wishes;
    std::uint64_t offset = 0;
    for (const Extent& extent : extents) {
        if (extent.length > size - offset) throw_damaged(area.prefix(), "a file's extents are longer than the file");
        if (!extent.pack.empty()) wishes[extent.pack].push_back({extent.frame, extent.position, extent.length, 0, offset});
        offset += extent.length;
    }
    if (offset != size) throw_damaged(area.prefix(), "a file's extents are shorter than the file");
    SealContext context;
    for (auto& [pack, pieces] : wishes)
        read_pieces(repository, area, pack, pieces, context, [&](std::uint32_t, std::uint64_t at, std::span<const std::byte> part) {
            std::memcpy(bytes.data() + at, part.data(), part.size());
        });
    return bytes;
}

}  // namespace howdah::repository
