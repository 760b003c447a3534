#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace howdah::postgres {

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as pg_control and WAL records use it. Computed in pieces:
///     auto state = kCrc32cStart; state = crc32c_extend(state, first); ...; sum = crc32c_finish(state);
/// Uses the CPU's instruction (SSE4.2) when there is one, chosen once at run time, else a table. Thread-safe.
inline constexpr std::uint32_t kCrc32cStart = 0xFFFFFFFFu;
std::uint32_t crc32c_extend(std::uint32_t state, std::span<const std::byte> bytes);
constexpr std::uint32_t crc32c_finish(std::uint32_t state) { return state ^ 0xFFFFFFFFu; }

/// The whole sum at once.
inline std::uint32_t crc32c(std::span<const std::byte> bytes) { return crc32c_finish(crc32c_extend(kCrc32cStart, bytes)); }

/// The kernels behind it, for tests and benchmarks.
std::uint32_t crc32c_extend_table(std::uint32_t state, std::span<const std::byte> bytes);
/// Only where crc32c_has_instruction().
std::uint32_t crc32c_extend_instruction(std::uint32_t state, std::span<const std::byte> bytes);
bool crc32c_has_instruction();

}  // namespace howdah::postgres
