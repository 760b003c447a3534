#include "backup/holes.hpp"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "repository/object.hpp"

namespace howdah::backup {

namespace {

constexpr std::array<long, 3> kBelieved{0xEF53, 0x58465342, 0x01021994};  // ext2 to ext4, XFS, tmpfs: linux/magic.h.

bool is_sparse(int descriptor) {
    struct stat facts{};
    return ::fstat(descriptor, &facts) == 0 && facts.st_blocks * 512 + static_cast<off_t>(repository::kFrameBytes) <= facts.st_size;
}

bool is_believed(int descriptor) {
    struct statfs facts{};
    return ::fstatfs(descriptor, &facts) == 0 && std::ranges::find(kBelieved, static_cast<long>(facts.f_type)) != kBelieved.end();
}

}  // namespace

Holes::Holes(const base::File& file) {
    if (is_sparse(file.descriptor()) && is_believed(file.descriptor())) descriptor_ = file.descriptor();
}

std::uint64_t Holes::at(std::uint64_t offset, std::uint64_t length) const {
    if (descriptor_ < 0 || length < repository::kFrameBytes) return 0;
    // The size comes first: a file that grows in between has data behind it, one that is cut has zeros there for all a backup knows.
    struct stat facts{};
    if (::fstat(descriptor_, &facts) != 0) return 0;
    const auto data = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno != ENXIO) return 0;
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    const auto end = std::min(offset + length, data < 0 ? size : static_cast<std::uint64_t>(data));
    return end <= offset ? 0 : (end - offset) / repository::kFrameBytes * repository::kFrameBytes;
}

}  // namespace howdah::backup
