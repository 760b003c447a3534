#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/units.hpp"

namespace howdah::postgres {

/// The only block size Howdah handles; others are refused at the start of an operation by what pg_control says.
inline constexpr std::size_t kBlockSize = 8192;

/// pd_lsn of a page: where the record that last changed it ends.
base::Lsn page_lsn(std::span<const std::byte> page);
/// A page of zeros: allocated, never initialised; has no checksum.
bool page_is_zero(std::span<const std::byte> page);
/// pd_checksum as stored.
std::uint16_t page_stored_checksum(std::span<const std::byte> page);
/// The checksum PostgreSQL computes for this page at this block of its relation fork (block counts on over segment files).
/// Source: storage/checksum_impl.h: FNV-1a in 32 parallel lanes, folded, mixed with the block number, mod 65535 plus 1.
std::uint16_t page_checksum(std::span<const std::byte> page, std::uint32_t block);

/// A page whose stored checksum is not the computed one.
struct BadPage {
    std::uint32_t block = 0;     ///< In the relation fork.
    std::uint16_t expected = 0;  ///< Computed from the bytes.
    std::uint16_t found = 0;     ///< Stored in the page.
};

/// Checks consecutive pages beginning with block `first`. As in PostgreSQL, a page whose pd_upper is zero passes only if it is all zero,
/// whatever its checksum says (then `expected` may equal `found`). Uses AVX2 where present, chosen once at run time. Appends to `bad`.
/// `pages.size()` is a multiple of kBlockSize. Thread-safe.
void check_pages(std::span<const std::byte> pages, std::uint32_t first, std::vector<BadPage>& bad);

}  // namespace howdah::postgres
