#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/units.hpp"
#include "postgres/block_changes.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::postgres {

/// What is needed to finish the one record that the end of a segment cuts, with what its neighbour's edges hold.
struct SegmentEdges {
    std::uint16_t magic = 0;  ///< 0: the bytes began with no segment header, and nothing below holds.
    int major = 0;
    base::Lsn begin;
    std::uint32_t segment_size = 0;

    std::uint32_t head_length = 0;  ///< Bytes that the segment's first page says are left of a record of the segment before; 0: none.
    bool head_overwrites = false;   ///< Its first page says that the record before was broken off by a crash.
    std::string head;  ///< The first of those bytes: all when they are at most kCutRecordBytes, else at least kMostHeaderBytes.

    base::Lsn cut_record;           ///< Where a record begins that cannot be understood without the next segment; zero: nothing is missing.
    std::uint32_t cut_length = 0;   ///< Of the whole record.
    std::uint32_t tail_length = 0;  ///< Of its bytes in this segment.
    std::string tail;               ///< Those bytes. What was encoded and decoded lacks them when they are more than kCutRecordBytes.

    /// Whether the stretch of WAL before `end` lacks a record.
    bool misses_record_before(base::Lsn end) const { return cut_record && cut_record < end; }
};

/// Which blocks the records that begin in one segment change: all of them, but for at most one that its end cuts, which `edges` names.
///
/// What the reader of a stretch [from, to) must do, in this order:
/// 1. Have one of these for each segment on the way of recovery from the one that holds `from` up to the one that holds `to`: stored,
///    or read from the segment. The last may be read from a segment still written, by read_changes(segment, to). Records before
///    `from` and behind `to` in stored ones are harmless: they name too much.
/// 2. For each whose edges.misses_record_before(to): join() it with the edges of the next. When that answers needs_segments, replace it
///    by read_changes() of its own segment and finish() that with the next segment, and those after it until it is done. When a segment
///    cannot be had, give_up().
/// 3. append() them all in any order. What then is not doubted() is complete.
/// A record whose end lies behind `to` is not part of the stretch.
struct SegmentChanges {
    BlockChanges changes;
    SegmentEdges edges;

    /// Bytes as docs/internals/wal.md has them, without checksum or compression.
    std::string encode() const;
    /// Failure(operation) when the bytes make no sense or are of a later version.
    static SegmentChanges decode(std::span<const std::byte> bytes);
};

/// Reads a segment by itself. With `to`, which is where a record begins or the WAL ends, only the records that begin before it; then
/// nothing from there on is looked at, and `segment` may be shorter than the segment, if it holds whole pages up to `to`. Whatever
/// cannot be read is a doubt, never a failure. Thread-safe.
SegmentChanges read_changes(std::span<const std::byte> segment, base::Lsn to = {});

/// Both what walk_segment and what read_changes find, with one walk.
struct SegmentSummary {
    WalSegmentFacts facts;
    SegmentChanges changes;
};
SegmentSummary summarize_segment(std::span<const std::byte> segment);

enum class Joined { done, needs_segments };
/// Adds the record that the end of `earlier` cuts, if any, with what the next segment's edges keep of it. A record that a crash broke off
/// adds nothing, as replay passes over it; one that is not continued as it should be is a doubt. needs_segments: too little was kept,
/// nothing was done (a commit that drops many relations).
Joined join(SegmentChanges& earlier, const SegmentEdges& next);

/// The same with the next segment itself. `earlier` must come from read_changes. False when the record goes on behind `next`: call
/// again with the segment after it.
bool finish(SegmentChanges& earlier, std::span<const std::byte> next);

/// Makes a doubt of the record that is still missing.
void give_up(SegmentChanges& earlier, const std::string& why);

}  // namespace howdah::postgres
