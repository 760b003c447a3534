#include "archive/segment_buffer.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include <cerrno>
#include <memory>

#include "base/failure.hpp"

namespace howdah::archive {

SegmentBuffer::~SegmentBuffer() { release(); }

void SegmentBuffer::release() {
    if (mapping_) ::munmap(mapping_, mapped_);
    mapping_ = nullptr;
    mapped_ = capacity_ = size_ = 0;
    data_ = nullptr;
}

void SegmentBuffer::resize(std::size_t size) {
    constexpr std::size_t kHugePage = 2u << 20;
    if (size > capacity_) {
        release();
        const std::size_t wanted = size + kHugePage;
        void* const memory = ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot have {} bytes of memory", wanted), errno);
        mapping_ = memory;
        mapped_ = wanted;
        void* begin = memory;
        std::size_t room = wanted;
        data_ = static_cast<std::byte*>(std::align(kHugePage, size, begin, room));
        capacity_ = room;
        ::madvise(data_, capacity_, MADV_HUGEPAGE);  // Where there are none, small pages do.
    }
    size_ = size;
}

}  // namespace howdah::archive
