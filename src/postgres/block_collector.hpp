#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "postgres/block_changes.hpp"

namespace howdah::postgres {

/// Gathers the blocks that records name, one by one and in any order, and sorts them at the end: far cheaper than keeping the sets of
/// BlockChanges in order all the time. Takes 8 bytes for each block that was not just named before.
class BlockCollector {
public:
    void add(const ForkKey& fork, std::uint32_t block) {
        const std::uint64_t packed = std::uint64_t{number_of(fork)} << 32 | block;
        std::uint64_t& recent = recent_[(packed ^ packed >> 32) % recent_.size()];
        if (recent == packed) return;
        recent = packed;
        packed_.push_back(packed);
        if (packed_.size() >= tidy_at_) tidy();
    }
    /// Adds everything gathered, and starts again.
    void move_to(BlockChanges& changes);

private:
    /// Blocks after which those named twice are taken out.
    static constexpr std::size_t kTidyAt = 1u << 20;
    struct Hash {
        std::size_t operator()(const ForkKey& fork) const {
            std::uint64_t value = std::uint64_t{fork.database} << 32 | fork.relation;
            value ^= (std::uint64_t{fork.tablespace} << 8 | static_cast<std::uint64_t>(fork.fork)) * 0x9E3779B97F4A7C15;
            value *= 0xD6E8FEB86659FD93;
            return static_cast<std::size_t>(value ^ value >> 32);
        }
    };
    struct Known {
        ForkKey fork;
        std::uint32_t number = 0;
        bool used = false;
    };

    std::uint32_t number_of(const ForkKey& fork) {
        Known& known = known_[(fork.relation ^ fork.database << 3 ^ static_cast<std::uint32_t>(fork.fork) << 5) % known_.size()];
        if (known.used && known.fork == fork) return known.number;
        known = {fork, look_up(fork), true};
        return known.number;
    }
    std::uint32_t look_up(const ForkKey& fork);
    void tidy();

    std::unordered_map<ForkKey, std::uint32_t, Hash> numbers_;
    std::vector<ForkKey> forks_;         ///< By number; they begin at 1, so that no packed block is 0.
    std::vector<std::uint64_t> packed_;  ///< Fork's number << 32 | block.
    std::array<std::uint64_t, 2048> recent_{};
    std::array<Known, 64> known_{};
    std::size_t tidy_at_ = kTidyAt;
};

}  // namespace howdah::postgres
