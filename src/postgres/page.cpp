#include "postgres/page.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "postgres/load.hpp"
#include "postgres/page_kernels.hpp"

namespace howdah::postgres {

namespace {

/// PageHeaderData (storage/bufpage.h): pd_lsn as two halves, high first; pd_checksum; pd_flags; pd_lower; pd_upper.
constexpr std::size_t kLsnHigh = 0, kLsnLow = 4, kChecksum = 8, kUpper = 14;

std::uint16_t mix(std::uint32_t hash, std::uint32_t block) { return static_cast<std::uint16_t>((hash ^ block) % 65535 + 1); }

/// PostgreSQL takes a page for never initialised when pd_upper is zero; such a page is right only when it is all zero.
bool is_good(std::span<const std::byte> page, std::uint16_t computed, std::uint16_t stored) {
    if (load<std::uint16_t>(page, kUpper) == 0) return page_is_zero(page);
    return computed == stored;
}

}  // namespace

base::Lsn page_lsn(std::span<const std::byte> page) {
    return {std::uint64_t{load<std::uint32_t>(page, kLsnHigh)} << 32 | load<std::uint32_t>(page, kLsnLow)};
}

bool page_is_zero(std::span<const std::byte> page) {
    return page.empty() || (page.front() == std::byte{0} && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0);
}

std::uint16_t page_stored_checksum(std::span<const std::byte> page) { return load<std::uint16_t>(page, kChecksum); }

std::uint16_t page_checksum(std::span<const std::byte> page, std::uint32_t block) {
    std::uint32_t hash = 0;
    fastest_page_kernel()(page.data(), {&hash, 1});
    return mix(hash, block);
}

void check_pages(std::span<const std::byte> pages, std::uint32_t first, std::vector<BadPage>& bad) {
    constexpr std::size_t kBatch = 32;
    std::array<std::uint32_t, kBatch> hashes;
    const PageKernel kernel = fastest_page_kernel();
    const std::size_t count = pages.size() / kBlockSize;
    for (std::size_t done = 0; done < count; done += kBatch) {
        const std::size_t batch = std::min(kBatch, count - done);
        kernel(pages.data() + done * kBlockSize, std::span(hashes).first(batch));
        for (std::size_t number = 0; number < batch; ++number) {
            const auto page = pages.subspan((done + number) * kBlockSize, kBlockSize);
            const auto block = static_cast<std::uint32_t>(first + done + number);
            const std::uint16_t computed = mix(hashes[number], block);
            const std::uint16_t stored = page_stored_checksum(page);
            if (!is_good(page, computed, stored)) bad.push_back({block, computed, stored});
        }
    }
}

}  // namespace howdah::postgres
