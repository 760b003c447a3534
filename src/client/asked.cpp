#include "client/asked.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace howdah::inline v0 {

Bell::Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Bell::~Bell() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void Bell::ring() const noexcept {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the bell is ringing.
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

void Bell::quieten() const noexcept {
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto read = ::read(descriptor_, &rings, sizeof rings);
}

}  // namespace howdah::inline v0
