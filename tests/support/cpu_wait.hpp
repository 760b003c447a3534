#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace howdah::tests {

/// How long the calling thread has stood ready to run while others had the processors, since it began: the second number of
/// /proc/thread-self/schedstat ("Scheduler Statistics" in the kernel's documentation). 0 where the kernel does not tell.
class CpuWait {
public:
    CpuWait() : descriptor_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
    ~CpuWait() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    CpuWait(const CpuWait&) = delete;
    CpuWait& operator=(const CpuWait&) = delete;

    std::chrono::nanoseconds waited() const {
        std::array<char, 96> text{};
        if (descriptor_ < 0 || ::pread(descriptor_, text.data(), text.size() - 1, 0) <= 0) return {};
        char* end = nullptr;
        static_cast<void>(std::strtoull(text.data(), &end, 10));
        return std::chrono::nanoseconds(std::strtoll(end, nullptr, 10));
    }

private:
    const int descriptor_;
};

}  // namespace howdah::tests
