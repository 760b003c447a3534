#include "archive/read_segment.hpp"

#include <algorithm>

#include "repository/object.hpp"

namespace howdah::archive {

bool read_segment(const WalArchive& archive, const std::string& name, repository::SealContext& context,
                  const std::function<void(std::span<const std::byte> piece)>& visit) {
    constexpr std::uint32_t kFramesARequest = 16;
    const std::string object = archive.area().wal(name);
    auto stored = archive.repository().store().open(object);
    if (!stored) return false;
    const repository::ObjectReader reader(std::move(stored), archive.repository().key(), repository::Kind::wal, object);
    const auto& directory = reader.directory();
    const auto end = std::ranges::find_if(directory, [](const auto& frame) { return frame.frame_class != repository::FrameClass::data; });
    const auto frames = static_cast<std::uint32_t>(end - directory.begin());
    for (std::uint32_t first = 0; first < frames; first += kFramesARequest)
        reader.read_frames(first, std::min(kFramesARequest, frames - first), context,
                           [&](std::uint32_t, std::span<const std::byte> plain) { visit(plain); });
    return true;
}

}  // namespace howdah::archive
