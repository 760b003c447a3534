#pragma once

#include <cstddef>

namespace howdah::archive {

/// Memory for one segment after another, a range of bytes. It is asked for in huge pages and never cleared: 16 MiB in small pages are 4,096
/// faults, which took longer than reading the file.
class SegmentBuffer {
public:
    SegmentBuffer() = default;
    ~SegmentBuffer();
    SegmentBuffer(const SegmentBuffer&) = delete;
    SegmentBuffer& operator=(const SegmentBuffer&) = delete;

    /// Room for `size` bytes of any value; what was in it is lost when it has to grow. Failure(operation) without memory.
    void resize(std::size_t size);

    std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }
    std::byte* begin() const { return data_; }
    std::byte* end() const { return data_ + size_; }

private:
    void release();

    void* mapping_ = nullptr;
    std::size_t mapped_ = 0, capacity_ = 0, size_ = 0;
    std::byte* data_ = nullptr;  ///< The first huge page's begin in the mapping.
};

}  // namespace howdah::archive
