#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace howdah::postgres {

/// The hash of pages before the block number is mixed in: the part of the checksum worth vectorising. Source: storage/checksum_impl.h.
/// A page is rows of 32 little-endian 32-bit words; lane n hashes the n-th word of every row and then two zeros, each step being
/// h = (h ^ word) * 16777619 ^ ((h ^ word) >> 17); the lanes are xored together. The page's own checksum field counts as zero.
///
/// A kernel hashes `hashes.size()` consecutive pages of kBlockSize from `pages` on, at any alignment.
using PageKernel = void (*)(const std::byte* pages, std::span<std::uint32_t> hashes);

void hash_pages_portable(const std::byte* pages, std::span<std::uint32_t> hashes);
/// Only where cpu_has_avx2().
void hash_pages_avx2(const std::byte* pages, std::span<std::uint32_t> hashes);
bool cpu_has_avx2();

/// The fastest of them on this CPU, chosen once.
PageKernel fastest_page_kernel();

}  // namespace howdah::postgres
