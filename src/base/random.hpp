#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace howdah::base {

/// Fills from the kernel's random source (getrandom). Safe for keys. Thread-safe.
void fill_random(std::span<std::byte> into);
/// Lower-case hex of that many random bytes.
std::string random_hex(std::size_t bytes);

}  // namespace howdah::base
