#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace howdah::postgres {

/// The value of type T stored at `offset`, unaligned. PostgreSQL stores its files in the byte order of the server's machine; Howdah
/// runs on that machine's kind (little-endian). The caller has checked that `offset + sizeof(T)` lies inside `bytes`.
template <typename T>
T load(std::span<const std::byte> bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

}  // namespace howdah::postgres
