#include "postgres/block_changes.hpp"

#include <algorithm>

#include "base/hooks.hpp"

namespace howdah::postgres {

namespace {

constexpr std::size_t kLongestDoubt = 200;

DatabaseKey database_of(const ForkKey& fork) { return {fork.tablespace, fork.database}; }

}  // namespace

void BlockChanges::add(const ForkKey& fork, BlockRange blocks) {
    if (blocks.begin >= blocks.end || (!replaced_.empty() && is_replaced(database_of(fork)))) return;
    ForkChanges& changes = forks_[fork];
    blocks.end = std::min(blocks.end, changes.limit);
    changes.blocks.add(blocks);
}

void BlockChanges::add(const ForkKey& fork, const BlockSet& blocks) {
    if (blocks.empty() || (!replaced_.empty() && is_replaced(database_of(fork)))) return;
    ForkChanges& changes = forks_[fork];
    changes.blocks.add(blocks);
    changes.blocks.erase_from(changes.limit);
}

void BlockChanges::cut(const ForkKey& fork, std::uint32_t blocks) {
    if (blocks == ForkChanges::kNoLimit || (!replaced_.empty() && is_replaced(database_of(fork)))) return;
    ForkChanges& changes = forks_[fork];
    if (blocks >= changes.limit) return;
    changes.limit = blocks;
    changes.blocks.erase_from(blocks);
}

void BlockChanges::replace(const DatabaseKey& database) {
    replaced_.insert(database);
    const auto begin = forks_.lower_bound({database.tablespace, database.database, 0, Fork::main});
    const auto end = forks_.upper_bound({database.tablespace, database.database, 0xFFFFFFFF, Fork::init});
    forks_.erase(begin, end);
}

void BlockChanges::doubt(ChangeDoubt doubt) {
    if (doubts_.size() == kMostDoubts) {
        ++doubts_left_out_;
        return;
    }
    if (doubt.text.size() > kLongestDoubt) doubt.text.resize(kLongestDoubt);
    doubts_.push_back(std::move(doubt));
}

void BlockChanges::append(const BlockChanges& later) {
    for (const DatabaseKey& database : later.replaced_) replace(database);
    for (const auto& [key, theirs] : later.forks_) {
        if (!replaced_.empty() && is_replaced(database_of(key))) continue;
        ForkChanges& mine = forks_[key];
        const bool same_limit = mine.limit == theirs.limit;
        mine.limit = std::min(mine.limit, theirs.limit);
        mine.blocks.add(theirs.blocks);
        if (!same_limit) mine.blocks.erase_from(mine.limit);
    }
    for (const ChangeDoubt& each : later.doubts_) doubt(each);
    doubts_left_out_ += later.doubts_left_out_;
}

std::vector<BlockRange> BlockChanges::changed(const ForkKey& fork, std::uint32_t blocks_then, std::uint32_t blocks_now,
                                              BlockRange window) const {
    std::vector<BlockRange> ranges;
    window.end = std::min(window.end, blocks_now);
    if (window.begin >= window.end) return ranges;
    std::uint32_t all_from = blocks_then;
    const bool untold = fork.fork != Fork::main && base::guard("T2.visibility_map");
    if (doubted() || untold || is_replaced(database_of(fork))) all_from = 0;
    const auto found = forks_.find(fork);
    if (found != forks_.end()) all_from = std::min(all_from, found->second.limit);
    all_from = std::clamp(all_from, window.begin, window.end);
    if (found != forks_.end())
        found->second.blocks.for_each_range({window.begin, all_from}, [&](BlockRange range) { ranges.push_back(range); });
    if (all_from == window.end) return ranges;
    if (!ranges.empty() && ranges.back().end == all_from)
        ranges.back().end = window.end;
    else
        ranges.push_back({all_from, window.end});
    return ranges;
}

}  // namespace howdah::postgres
