#include "restore/local_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace howdah::restore {

namespace {

/// Pieces of at least this size are handed to the disk at once, so that the end has little left to wait for.
constexpr std::size_t kWritebackBytes = 256 * 1024;
constexpr std::size_t kClearBytes = 256 * 1024;

bool all_zero(std::span<const std::byte> bytes) {
    return bytes.empty() || (bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

const base::File& LocalFiles::at(std::uint32_t file) {
    if (open_ != file) {
        const auto& output = layout_.files[file];
        open_.reset();
        file_ = base::File::open(output.path, O_RDWR | O_CREAT | O_NOFOLLOW, output.mode | 0600u);
        open_ = file;
    }
    return file_;
}

void LocalFiles::read(std::uint32_t file, std::uint64_t offset, std::span<std::byte> into) {
    std::size_t got = 0;
    if (in_memory(file)) {
        got = offset < control_.size() ? std::min<std::size_t>(into.size(), control_.size() - offset) : 0;
        std::memcpy(into.data(), control_.data() + offset, got);
    } else {
        got = at(file).read_at(into, offset);
    }
    std::fill(into.begin() + static_cast<std::ptrdiff_t>(got), into.end(), std::byte{0});
}

bool LocalFiles::holds(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
    buffer_.resize(std::max(buffer_.size(), bytes.size()));
    const auto there = std::span(buffer_).first(bytes.size());
    read(file, offset, there);
    return std::memcmp(there.data(), bytes.data(), bytes.size()) == 0;
}

void LocalFiles::write(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
    if (in_memory(file)) {
        std::memcpy(control_.data() + offset, bytes.data(), bytes.size());
        return;
    }
    const auto& open = at(file);
    open.write_at(bytes, offset);
    if (bytes.size() >= kWritebackBytes)
        ::sync_file_range(open.descriptor(), static_cast<off64_t>(offset), static_cast<off64_t>(bytes.size()), SYNC_FILE_RANGE_WRITE);
}

std::uint64_t LocalFiles::clear(std::uint32_t file, std::uint64_t offset, std::uint64_t length) {
    if (in_memory(file)) {
        std::fill_n(control_.begin() + static_cast<std::ptrdiff_t>(offset), length, '\0');
        return 0;
    }
    const auto& open = at(file);
    const auto end = offset + length;
    std::uint64_t cleared = 0;
    while (offset < end) {
        const auto data = ::lseek(open.descriptor(), static_cast<off_t>(offset), SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // Nothing but a hole from here on.
        // Where the file system tells no holes everything is data.
        const auto begin = data < 0 ? offset : static_cast<std::uint64_t>(data);
        if (begin >= end) break;
        const auto hole = data < 0 ? -1 : ::lseek(open.descriptor(), data, SEEK_HOLE);
        const auto stop = hole < 0 ? end : std::min(end, static_cast<std::uint64_t>(hole));
        cleared += clear_data(open, begin, stop);
        offset = stop;
    }
    return cleared;
}

std::uint64_t LocalFiles::clear_data(const base::File& file, std::uint64_t begin, std::uint64_t end) {
    buffer_.resize(std::max(buffer_.size(), kClearBytes));
    std::uint64_t cleared = 0;
    while (begin < end) {
        const auto part = std::span(buffer_).first(std::min<std::uint64_t>(kClearBytes, end - begin));
        const auto got = file.read_at(part, begin);
        if (got == 0) break;
        if (!all_zero(part.first(got))) {
            std::ranges::fill(part.first(got), std::byte{0});
            file.write_at(part.first(got), begin);
            cleared += got;
        }
        begin += got;
    }
    return cleared;
}

}  // namespace howdah::restore
