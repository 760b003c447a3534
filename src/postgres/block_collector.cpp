#include "postgres/block_collector.hpp"

#include <algorithm>
#include <utility>

namespace howdah::postgres {

namespace {

/// Sorts by bytes, lowest first. Of packed blocks most bytes are the same in all and cost nothing, so this takes a fraction of what
/// comparing takes.
void sort_by_bytes(std::vector<std::uint64_t>& values, std::vector<std::uint64_t>& space) {
    std::array<std::array<std::uint32_t, 256>, 8> counts{};
    for (const std::uint64_t value : values)
        for (unsigned byte = 0; byte < 8; ++byte) ++counts[byte][value >> (8 * byte) & 0xFF];
    space.resize(values.size());
    for (unsigned byte = 0; byte < 8; ++byte) {
        auto& count = counts[byte];
        if (count[values.front() >> (8 * byte) & 0xFF] == values.size()) continue;
        std::uint32_t begin = 0;
        for (std::uint32_t& each : count) begin += std::exchange(each, begin);
        for (const std::uint64_t value : values) space[count[value >> (8 * byte) & 0xFF]++] = value;
        values.swap(space);
    }
}

}  // namespace

std::uint32_t BlockCollector::look_up(const ForkKey& fork) {
    const auto [found, is_new] = numbers_.try_emplace(fork, static_cast<std::uint32_t>(forks_.size() + 1));
    if (is_new) forks_.push_back(fork);
    return found->second;
}

void BlockCollector::tidy() {
    if (packed_.empty()) return;
    std::vector<std::uint64_t> space;
    sort_by_bytes(packed_, space);
    packed_.erase(std::unique(packed_.begin(), packed_.end()), packed_.end());
    tidy_at_ = std::max(kTidyAt, packed_.size() * 2);
}

void BlockCollector::move_to(BlockChanges& changes) {
    tidy();
    for (std::size_t at = 0; at < packed_.size();) {
        const std::uint64_t number = packed_[at] >> 32;
        BlockSet blocks;
        while (at < packed_.size() && packed_[at] >> 32 == number) {
            const std::uint64_t first = packed_[at];
            std::uint64_t end = first;
            for (; at < packed_.size() && packed_[at] == end; ++at) ++end;
            blocks.add({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end)});
        }
        changes.add(forks_[static_cast<std::size_t>(number) - 1], blocks);
    }
    *this = {};
}

}  // namespace howdah::postgres
