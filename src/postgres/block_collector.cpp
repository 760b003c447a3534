#include "postgres/block_collector.hpp"

#include <algorithm>

namespace howdah::postgres {

std::uint32_t BlockCollector::look_up(const ForkKey& fork) {
    const auto [found, is_new] = numbers_.try_emplace(fork, static_cast<std::uint32_t>(forks_.size() + 1));
    if (is_new) forks_.push_back(fork);
    return found->second;
}

void BlockCollector::tidy() {
    std::sort(packed_.begin(), packed_.end());
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
