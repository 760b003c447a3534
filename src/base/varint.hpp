#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace howdah::base {

/// Appends an unsigned number in 7 bits a byte, lowest first, the top bit set on all but the last byte (LEB128).
inline void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
}
constexpr std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    while (value >>= 7) ++size;
    return size;
}

}  // namespace howdah::base
