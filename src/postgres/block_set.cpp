#include "postgres/block_set.hpp"

#include <algorithm>

#include "postgres/load.hpp"

namespace howdah::postgres {

namespace {

constexpr std::uint32_t make_run(std::uint32_t first, std::uint32_t last) { return first << 16 | last; }
constexpr std::uint32_t first_of(std::uint32_t run) { return run >> 16; }
constexpr std::uint32_t last_of(std::uint32_t run) { return run & 0xFFFF; }

/// Adds a run to a sorted list that ends at or before it, joining what touches.
void push_run(std::vector<std::uint32_t>& runs, std::uint32_t run) {
    if (runs.empty() || first_of(run) > last_of(runs.back()) + 1)
        runs.push_back(run);
    else
        runs.back() = make_run(first_of(runs.back()), std::max(last_of(runs.back()), last_of(run)));
}

}  // namespace

void BlockSet::Piece::make_dense() {
    if (dense()) return;
    const auto runs = std::move(words);
    words.assign(kBitmapWords, 0);
    for (const std::uint32_t run : runs) set_bits(first_of(run), last_of(run));
}

void BlockSet::Piece::set_bits(std::uint32_t first, std::uint32_t last) {
    const std::uint32_t head = ~0u << (first % 32), tail = ~0u >> (31 - last % 32);
    if (first / 32 == last / 32) {
        words[first / 32] |= head & tail;
        return;
    }
    words[first / 32] |= head;
    for (std::uint32_t at = first / 32 + 1; at < last / 32; ++at) words[at] = ~0u;
    words[last / 32] |= tail;
}

void BlockSet::Piece::add(std::uint32_t first, std::uint32_t last) {
    if (dense()) return set_bits(first, last);
    if (words.empty() || first >= first_of(words.back())) {
        push_run(words, make_run(first, last));
    } else {
        // Those from `begin` up to `end` touch the new run and become one with it.
        const auto begin = std::partition_point(words.begin(), words.end(), [&](std::uint32_t run) { return last_of(run) + 1 < first; });
        const auto end = std::partition_point(begin, words.end(), [&](std::uint32_t run) { return first_of(run) <= last + 1; });
        if (begin == end) {
            words.insert(begin, make_run(first, last));
        } else {
            *begin = make_run(std::min(first, first_of(*begin)), std::max(last, last_of(*(end - 1))));
            words.erase(begin + 1, end);
        }
    }
    if (words.size() > kMostRuns) make_dense();
}

void BlockSet::Piece::add_runs(const std::vector<std::uint32_t>& runs) {
    std::vector<std::uint32_t> merged;
    merged.reserve(words.size() + runs.size());
    auto mine = words.begin();
    auto other = runs.begin();
    while (mine != words.end() || other != runs.end()) {
        const bool take_mine = other == runs.end() || (mine != words.end() && *mine < *other);
        push_run(merged, take_mine ? *mine++ : *other++);
    }
    // Two lists may give more runs than a list may have, but never as many as a bitmap has words.
    words = std::move(merged);
    if (words.size() > kMostRuns) make_dense();
}

void BlockSet::Piece::add(const Piece& other) {
    constexpr std::size_t kFew = 4;
    if (other.dense()) {
        make_dense();
        for (std::size_t at = 0; at < kBitmapWords; ++at) words[at] |= other.words[at];
    } else if (dense() || other.words.size() <= kFew) {
        for (const std::uint32_t run : other.words) add(first_of(run), last_of(run));
    } else {
        add_runs(other.words);
    }
}

void BlockSet::Piece::erase_from(std::uint32_t first) {
    if (dense()) {
        words[first / 32] &= ~(~0u << (first % 32));
        std::fill(words.begin() + first / 32 + 1, words.end(), 0);
        if (std::all_of(words.begin(), words.end(), [](std::uint32_t word) { return word == 0; })) words.clear();
        return;
    }
    while (!words.empty() && first_of(words.back()) >= first) words.pop_back();
    if (!words.empty() && last_of(words.back()) >= first) words.back() = make_run(first_of(words.back()), first - 1);
}

BlockSet::Piece& BlockSet::piece(std::uint32_t high) {
    if (!pieces_.empty() && pieces_.back().high == high) return pieces_.back();
    const auto at = std::partition_point(pieces_.begin(), pieces_.end(), [&](const Piece& piece) { return piece.high < high; });
    if (at != pieces_.end() && at->high == high) return *at;
    return *pieces_.insert(at, Piece{high, {}});
}

void BlockSet::add(BlockRange range) {
    while (range.begin < range.end) {
        const std::uint32_t high = range.begin >> 16;
        const std::uint32_t last = (range.end - 1) >> 16 == high ? (range.end - 1) & 0xFFFF : kPieceBlocks - 1;
        piece(high).add(range.begin & 0xFFFF, last);
        if (range.end - range.begin <= last - (range.begin & 0xFFFF) + 1) return;
        range.begin = (high + 1) << 16;
    }
}

void BlockSet::add(const BlockSet& other) {
    if (pieces_.empty()) {
        pieces_ = other.pieces_;
        return;
    }
    for (const Piece& piece : other.pieces_) this->piece(piece.high).add(piece);
}

void BlockSet::erase_from(std::uint32_t begin) {
    while (!pieces_.empty() && pieces_.back().high > begin >> 16) pieces_.pop_back();
    if (pieces_.empty() || pieces_.back().high != begin >> 16) return;
    pieces_.back().erase_from(begin & 0xFFFF);
    if (pieces_.back().words.empty()) pieces_.pop_back();
}

std::uint64_t BlockSet::count() const {
    std::uint64_t count = 0;
    for (const Piece& piece : pieces_)
        piece.for_each_run(0, kPieceBlocks - 1, [&](std::uint32_t first, std::uint32_t last) { count += last - first + 1; });
    return count;
}

bool BlockSet::contains(std::uint32_t block) const {
    if (block == kNoBlock) return false;
    bool found = false;
    for_each_range({block, block + 1}, [&](BlockRange) { found = true; });
    return found;
}

void BlockSet::encode(std::string& out) const {
    put_varint(out, pieces_.size());
    std::uint32_t next_high = 0;
    std::string runs;
    for (const Piece& piece : pieces_) {
        put_varint(out, piece.high - next_high);
        next_high = piece.high + 1;
        runs.clear();
        std::size_t count = 0;
        std::uint32_t at = 0;
        piece.for_each_run(0, kPieceBlocks - 1, [&](std::uint32_t first, std::uint32_t last) {
            if (runs.size() >= kBitmapWords * 4) return;
            put_varint(runs, std::uint64_t{first - at} << 1 | (last > first ? 1 : 0));
            if (last > first) put_varint(runs, last - first - 1);
            at = last + 2;
            ++count;
        });
        if (runs.size() < kBitmapWords * 4) {
            put_varint(out, count << 1);
            out += runs;
        } else {
            // So many runs are always a bitmap, whose words are in the byte order that bits are counted in.
            put_varint(out, 1);
            out.append(reinterpret_cast<const char*>(piece.words.data()), kBitmapWords * 4);
        }
    }
}

BlockSet BlockSet::decode(VarintReader& reader) {
    BlockSet set;
    std::uint64_t high = 0;
    for (std::size_t pieces = reader.count(); pieces > 0; --pieces, ++high) {
        high += reader.varint(0xFFFF);
        if (high > 0xFFFF) reader.damaged("a block number is too large");
        Piece piece{static_cast<std::uint32_t>(high), {}};
        const std::uint64_t form = reader.varint(kPieceBlocks);
        if (form == 1) {
            const auto bytes = reader.take(kBitmapWords * 4);
            piece.words.resize(kBitmapWords);
            for (std::size_t at = 0; at < kBitmapWords; ++at) piece.words[at] = load<std::uint32_t>(bytes, at * 4);
            if (std::all_of(piece.words.begin(), piece.words.end(), [](std::uint32_t word) { return word == 0; }))
                reader.damaged("a bitmap is empty");
        } else if (form == 0 || form % 2 != 0) {
            reader.damaged("a list of blocks is of no known form");
        }
        std::uint64_t at = 0;
        for (std::uint64_t run = 0; run < form / 2; ++run) {
            const std::uint64_t word = reader.varint(0x3FFFF);
            const std::uint64_t first = at + (word >> 1);
            const std::uint64_t last = word & 1 ? first + 1 + reader.varint(0xFFFF) : first;
            if (last > 0xFFFF) reader.damaged("a run of blocks is too long");
            piece.add(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last));
            at = last + 2;
        }
        set.pieces_.push_back(std::move(piece));
    }
    if (!set.pieces_.empty() && set.pieces_.back().high == 0xFFFF)
        set.pieces_.back().for_each_run(0xFFFF, 0xFFFF, [&](auto, auto) { reader.damaged("a block number is too large"); });
    return set;
}

}  // namespace howdah::postgres
