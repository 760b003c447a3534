#include "base/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <vector>

#include "base/failure.hpp"

namespace howdah::base {

void fill_random(std::span<std::byte> into) {
    while (!into.empty()) {
        const ssize_t got = ::getrandom(into.data(), into.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemFailure(FailureKind::operation, "cannot read the kernel's random source", errno);
        into = into.subspan(static_cast<std::size_t>(got));
    }
}

std::string random_hex(std::size_t bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::vector<std::byte> raw(bytes);
    fill_random(raw);
    std::string hex;
    hex.reserve(2 * bytes);
    for (const std::byte byte : raw) {
        hex += kDigits[std::to_integer<unsigned>(byte) >> 4];
        hex += kDigits[std::to_integer<unsigned>(byte) & 15];
    }
    return hex;
}

}  // namespace howdah::base
