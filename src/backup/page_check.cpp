#include "backup/page_check.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "base/hooks.hpp"
#include "postgres/page.hpp"

namespace howdah::backup {

namespace {

using postgres::kBlockSize;
using namespace std::chrono_literals;

constexpr std::array kWaits{5ms, 20ms, 50ms, 100ms, 150ms};

/// Whether a page turned out well (or under a writer's hands) within the readings. Leaves the newest reading in `page`.
bool settles(const base::File& file, std::span<std::byte> page, std::uint64_t offset, std::uint32_t block, const base::Cancellation& cancellation) {
    std::array<std::byte, kBlockSize> again;
    for (const auto wait : kWaits) {
        if (!cancellation.sleep(wait)) cancellation.check("checking a page again");
        const auto read = file.read_at(again, offset);
        if (read < kBlockSize) return true;  // Truncated meanwhile; replay knows about it.
        const bool changed = std::memcmp(again.data(), page.data(), kBlockSize) != 0;
        std::memcpy(page.data(), again.data(), kBlockSize);
        if (postgres::page_is_zero(again) || postgres::page_checksum(again, block) == postgres::page_stored_checksum(again)) return true;
        if (changed) return true;
    }
    return false;
}

}  // namespace

void recheck_pages(const base::File& file, std::span<std::byte> pages, std::uint64_t file_offset, std::uint32_t first_block,
                   const std::vector<std::uint32_t>& suspects, std::vector<repository::RecordedBadPage>& bad,
                   const base::Cancellation& cancellation) {
    const auto block_of_first = first_block + static_cast<std::uint32_t>(file_offset / kBlockSize);
    for (const auto block : suspects) {
        const auto within = static_cast<std::size_t>(block - block_of_first) * kBlockSize;
        const auto page = pages.subspan(within, kBlockSize);
        if (base::guard("T11.reread") && settles(file, page, file_offset + within, block, cancellation)) continue;
        bad.push_back({block, postgres::page_checksum(page, block), postgres::page_stored_checksum(page)});
    }
}

void check_pages_read(const base::File& file, std::span<std::byte> bytes, std::uint64_t file_offset, std::uint32_t first_block,
                      std::vector<repository::RecordedBadPage>& bad, const base::Cancellation& cancellation) {
    if (!base::guard("T11.verify")) return;
    const auto whole = bytes.first(bytes.size() / kBlockSize * kBlockSize);
    if (whole.empty()) return;
    std::vector<postgres::BadPage> wrong;
    postgres::check_pages(whole, first_block + static_cast<std::uint32_t>(file_offset / kBlockSize), wrong);
    if (wrong.empty()) return;
    std::vector<std::uint32_t> suspects;
    for (const auto& page : wrong) suspects.push_back(page.block);
    recheck_pages(file, whole, file_offset, first_block, suspects, bad, cancellation);
}

}  // namespace howdah::backup
