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

constexpr std::array kWaits{0ms, 5ms, 20ms, 50ms, 100ms, 150ms};

/// A frame's pages in the file and in memory.
struct Frame {
    const base::File& file;
    std::span<std::byte> pages;
    std::uint64_t offset;       ///< In the file.
    std::uint32_t first_block;  ///< Of the frame.

    std::span<std::byte> page(std::uint32_t block) const {
        return pages.subspan(std::size_t{block - first_block} * kBlockSize, kBlockSize);
    }
};

/// A page that did not have its checksum.
struct Suspect {
    std::uint32_t block;
    bool changed = false;  ///< Between two readings: a writer is at it.
};

/// Reads a page again; whether it has its checksum now. Leaves the newest reading in the frame.
bool is_right_now(const Frame& frame, Suspect& suspect) {
    std::array<std::byte, kBlockSize> again;
    const auto page = frame.page(suspect.block);
    if (frame.file.read_at(again, frame.offset + std::uint64_t{suspect.block - frame.first_block} * kBlockSize) < kBlockSize)
        return true;  // Truncated meanwhile; replay knows about it.
    suspect.changed = suspect.changed || std::memcmp(again.data(), page.data(), kBlockSize) != 0;
    std::memcpy(page.data(), again.data(), kBlockSize);
    return postgres::page_is_zero(again) || postgres::page_checksum(again, suspect.block) == postgres::page_stored_checksum(again);
}

/// Removes from `suspects` the pages that come right. False when the budget ended it early.
bool recheck(const Frame& frame, std::vector<Suspect>& suspects, WaitBudget& waits, const base::Cancellation& cancellation) {
    for (const auto wait : kWaits) {
        if (suspects.empty()) return true;
        if (!waits.take(wait)) return false;
        if (wait > 0ms && !cancellation.sleep(wait)) cancellation.check("checking a page again");
        std::erase_if(suspects, [&](Suspect& suspect) { return is_right_now(frame, suspect); });
    }
    return true;
}

/// The same, and those under a writer's hands settle as well.
bool settle(const Frame& frame, std::vector<Suspect>& suspects, WaitBudget& waits, const base::Cancellation& cancellation) {
    const bool whole = recheck(frame, suspects, waits, cancellation);
    std::erase_if(suspects, [](const Suspect& suspect) { return suspect.changed; });
    return whole;
}

}  // namespace

bool WaitBudget::take(base::Duration wait) {
    auto left = left_.load();
    do {
        if (left < wait.count()) return false;
    } while (!left_.compare_exchange_weak(left, left - wait.count()));
    return true;
}

void check_pages_read(const base::File& file, std::span<std::byte> bytes, std::uint64_t file_offset, std::uint32_t first_block,
                      WaitBudget& waits, PageFindings& findings, const base::Cancellation& cancellation) {
    if (!base::guard("T11.verify")) return;
    const auto whole = bytes.first(bytes.size() / kBlockSize * kBlockSize);
    if (whole.empty()) return;
    const Frame frame{file, whole, file_offset, first_block + static_cast<std::uint32_t>(file_offset / kBlockSize)};
    std::vector<postgres::BadPage> wrong;
    postgres::check_pages(whole, frame.first_block, wrong);
    if (wrong.empty()) return;
    std::vector<Suspect> suspects;
    for (const auto& page : wrong) suspects.push_back({page.block});
    if (base::guard("T11.reread") && !settle(frame, suspects, waits, cancellation)) findings.hurried += suspects.size();
    for (const auto& [block, changed] : suspects)
        findings.bad.push_back(
            {block, postgres::page_checksum(frame.page(block), block), postgres::page_stored_checksum(frame.page(block))});
}

}  // namespace howdah::backup
