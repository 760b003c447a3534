#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "postgres/varint.hpp"

namespace howdah::postgres {

/// Blocks from `begin` up to, and without, `end`.
struct BlockRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool operator==(const BlockRange&) const = default;
};

/// No block has this number: it is PostgreSQL's "no block".
inline constexpr std::uint32_t kNoBlock = 0xFFFFFFFF;

/// A set of block numbers of one relation fork. It is cut into pieces of 65,536 blocks; a piece is a sorted list of at most 512 runs
/// or, with more of them, a bitmap of 8 KiB. So a set never takes more than 8 KiB and a little for each 512 MiB of relation that were
/// touched (160 MiB for 10 TiB), and 4 bytes a run where little changed.
class BlockSet {
public:
    bool empty() const { return pieces_.empty(); }
    std::uint64_t count() const;
    bool contains(std::uint32_t block) const;

    /// Blocks given in rising order are cheapest. An empty range adds nothing.
    void add(BlockRange range);
    void add(const BlockSet& other);
    /// Takes out `begin` and all above.
    void erase_from(std::uint32_t begin);

    /// Calls visit(BlockRange) for what lies within `window`, in rising order; ranges that touch are given as one.
    template <typename Visit>
    void for_each_range(BlockRange window, Visit visit) const;

    /// Bytes as docs/internals/wal.md has them; the same set gives the same bytes.
    void encode(std::string& out) const;
    /// Failure when the bytes make no sense. Takes at most 16 bytes of memory for each byte read, and 60 for each piece.
    static BlockSet decode(VarintReader& reader);

private:
    static constexpr std::uint32_t kPieceBlocks = 65536;
    static constexpr std::size_t kMostRuns = 512, kBitmapWords = kPieceBlocks / 32;

    /// Runs as (first << 16 | last), sorted, apart from each other; or kBitmapWords words of a bitmap.
    struct Piece {
        std::uint32_t high = 0;
        std::vector<std::uint32_t> words;

        bool dense() const { return words.size() == kBitmapWords; }
        void make_dense();
        void set_bits(std::uint32_t first, std::uint32_t last);
        void add(std::uint32_t first, std::uint32_t last);
        void add(const Piece& other);
        void add_runs(const std::vector<std::uint32_t>& runs);
        void erase_from(std::uint32_t first);
        /// Calls visit(first, last) for each run from `begin` to `end`, both included, in rising order.
        template <typename Visit>
        void for_each_run(std::uint32_t begin, std::uint32_t end, Visit visit) const;
    };
    Piece& piece(std::uint32_t high);

    std::vector<Piece> pieces_;  ///< By `high`, none empty.
};

template <typename Visit>
void BlockSet::Piece::for_each_run(std::uint32_t begin, std::uint32_t end, Visit visit) const {
    if (!dense()) {
        for (const std::uint32_t run : words) {
            const std::uint32_t first = run >> 16, last = run & 0xFFFF;
            if (last < begin) continue;
            if (first > end) return;
            visit(first < begin ? begin : first, last > end ? end : last);
        }
        return;
    }
    // The next bit at or after `at` that is set, or that is not; beyond the piece when there is none.
    const auto find = [&](std::uint32_t at, bool set) {
        while (at < kPieceBlocks) {
            const std::uint32_t word = (set ? words[at / 32] : ~words[at / 32]) >> (at % 32);
            if (word != 0) return at + static_cast<std::uint32_t>(std::countr_zero(word));
            at = (at / 32 + 1) * 32;
        }
        return kPieceBlocks;
    };
    for (std::uint32_t at = find(begin, true); at <= end && at < kPieceBlocks; at = find(at, true)) {
        const std::uint32_t after = find(at, false);
        visit(at, after - 1 > end ? end : after - 1);
        at = after;
    }
}

template <typename Visit>
void BlockSet::for_each_range(BlockRange window, Visit visit) const {
    if (window.begin >= window.end) return;
    BlockRange open;
    const std::uint32_t last = window.end - 1;
    for (const Piece& piece : pieces_) {
        if (piece.high < window.begin >> 16) continue;
        if (piece.high > last >> 16) break;
        const std::uint32_t base = piece.high << 16;
        piece.for_each_run(base < window.begin ? window.begin - base : 0, piece.high < last >> 16 ? kPieceBlocks - 1 : last - base,
                           [&](std::uint32_t from, std::uint32_t to) {
                               if (open.begin < open.end && base + from == open.end) {
                                   open.end = base + to + 1;
                                   return;
                               }
                               if (open.begin < open.end) visit(open);
                               open = {base + from, base + to + 1};
                           });
    }
    if (open.begin < open.end) visit(open);
}

}  // namespace howdah::postgres
