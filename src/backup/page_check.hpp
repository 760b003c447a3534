#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cancellation.hpp"
#include "base/file.hpp"
#include "base/units.hpp"
#include "repository/manifest.hpp"

namespace howdah::backup {

/// Looks again at pages whose checksum was wrong when they were read from a running cluster (trap T11). A page may have been read while
/// it was written; then the WAL since the backup's start holds a full image of it and recovery repairs it. So each page is read again, up
/// to five times over about a third of a second, into its place in `pages`: a right checksum settles it, bytes that differ between two
/// readings are a write under way and settle it too, bytes that stay wrong are corruption. The LSN of a torn page proves nothing and is
/// not trusted. Appends what is corrupt to `bad`.
void recheck_pages(const base::File& file, std::span<std::byte> pages, std::uint64_t file_offset, std::uint32_t first_block,
                   const std::vector<std::uint32_t>& suspects, std::vector<repository::RecordedBadPage>& bad, const base::Cancellation& cancellation);

/// Checks the whole pages among the bytes just read at `file_offset` of a relation file that begins with block `first_block`.
void check_pages_read(const base::File& file, std::span<std::byte> bytes, std::uint64_t file_offset, std::uint32_t first_block,
                      std::vector<repository::RecordedBadPage>& bad, const base::Cancellation& cancellation);

}  // namespace howdah::backup
