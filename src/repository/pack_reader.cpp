#include "repository/pack_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "repository/damage.hpp"

namespace howdah::repository {

namespace {

/// The part of a piece that lies in one frame.
struct Slice {
    std::uint32_t frame, position, length, file;
    std::uint64_t offset;
};

std::vector<Slice> slice(const std::vector<Piece>& pieces, const std::vector<FrameEntry>& directory, const std::string& name) {
    std::vector<Slice> slices;
    slices.reserve(pieces.size());
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
            slices.push_back({static_cast<std::uint32_t>(frame), position, static_cast<std::uint32_t>(part), piece.file, offset});
            left -= part;
            offset += part;
        }
    }
    std::ranges::sort(slices, [](const Slice& a, const Slice& b) { return std::tie(a.frame, a.position) < std::tie(b.frame, b.position); });
    return slices;
}

}  // namespace

void read_pieces(const Repository& repository, const ClusterArea& area, const std::string& pack, std::vector<Piece> pieces,
                 SealContext& context,
                 const std::function<void(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes)>& scatter) {
    const std::string name = area.pack(pack);
    auto source = repository.store().open(name);
    if (!source) throw_damaged(name, "it is missing");
    const ObjectReader reader(std::move(source), repository.key(), Kind::pack, name);
    const std::vector<Slice> slices = slice(pieces, reader.directory(), name);
    for (std::size_t begin = 0; begin < slices.size();) {
        std::size_t end = begin + 1;
        while (end < slices.size() && slices[end].frame <= slices[end - 1].frame + 1) ++end;
        std::size_t next = begin;
        const std::uint32_t first = slices[begin].frame;
        reader.read_frames(first, slices[end - 1].frame - first + 1, context, [&](std::uint32_t frame, std::span<const std::byte> plain) {
            for (; next < end && slices[next].frame == frame; ++next)
                scatter(slices[next].file, slices[next].offset, plain.subspan(slices[next].position, slices[next].length));
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
    std::map<std::string, std::vector<Piece>> wishes;
    std::uint64_t offset = 0;
    for (const Extent& extent : extents) {
        if (extent.length > size - offset) throw_damaged(area.prefix(), "a file's extents are longer than the file");
        if (!extent.pack.empty()) wishes[extent.pack].push_back({extent.frame, extent.position, extent.length, 0, offset});
        offset += extent.length;
    }
    if (offset != size) throw_damaged(area.prefix(), "a file's extents are shorter than the file");
    SealContext context;
    for (auto& [pack, pieces] : wishes)
        read_pieces(repository, area, pack, std::move(pieces), context,
                    [&](std::uint32_t, std::uint64_t at, std::span<const std::byte> part) {
                        std::memcpy(bytes.data() + at, part.data(), part.size());
                    });
    return bytes;
}

}  // namespace howdah::repository
