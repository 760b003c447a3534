#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "postgres/wal_name.hpp"

namespace howdah::postgres {

/// The long header of a segment's first page (access/xlog_internal.h XLogLongPageHeaderData).
struct WalSegmentHeader {
    std::uint16_t magic = 0;
    int major = 0;  ///< 14 to 18 by the magic; 0 when unknown.
    base::Timeline timeline;
    base::Lsn page_address;
    base::SystemIdentifier system_identifier;
    std::uint32_t segment_size = 0;
    std::uint32_t block_size = 0;
};
/// Failure(operation) when the bytes do not begin with a long page header or the segment size is no power of two from 1 MiB to 1 GiB.
WalSegmentHeader parse_segment_header(std::span<const std::byte> bytes);

struct RestorePoint {
    std::string name;
    base::Lsn lsn;  ///< Where its record ends, as pg_create_restore_point answered: replay must come this far.
    base::Timestamp time;
};
struct TablespaceCreated {
    std::uint32_t oid = 0;
    std::string path;  ///< As in the record; empty for an in-place tablespace.
    base::Lsn lsn;     ///< Where its record begins: replay from here or before makes it.
};

/// The longest record whose facts can be lost by a cut (a tablespace's path is at most 1024 bytes long), with room to spare: tails and
/// heads up to this are worth keeping in a trailer.
inline constexpr std::size_t kCutRecordBytes = 2048;

/// What one segment holds, for its trailer. A record belongs to the segment in which it begins.
struct WalSegmentFacts {
    WalSegmentHeader header;
    base::Lsn first_record;    ///< Zero when no record begins here.
    base::Lsn end_of_records;  ///< Where the walk ended: the last whole record's end, a switch, or the segment's end.
    std::uint64_t records = 0;
    std::uint64_t commits = 0;
    std::optional<base::Timestamp> first_commit_time;  ///< Smallest and largest, as commit times may be out of order.
    std::optional<base::Timestamp> last_commit_time;
    std::uint32_t lowest_xid = 0;  ///< Of commits and aborts; 0: none.
    std::uint32_t highest_xid = 0;
    std::vector<RestorePoint> restore_points;
    std::vector<TablespaceCreated> tablespaces;
    std::vector<std::uint32_t> tablespaces_dropped;
    bool switched = false;     ///< Ends with XLOG_SWITCH; the rest is zeros.
    std::string doubt;         ///< Why the walk could not understand everything; empty when it did. Never a reason to fail a push.
    std::string tail;          ///< Bytes of a last record that goes on in the next segment; at most a segment long.
    base::Lsn cut_record;      ///< Where that record begins; zero when there is none.
    bool tail_unread = false;  ///< What that record says lies in the next segment, so that it may miss here (finish_cut_record).
    std::string head;          ///< The bytes at the beginning that continue a record of the segment before, when they end it and are
                               ///< at most kCutRecordBytes.
};

struct WalRecord;
class WalWalker;
/// Sees each record of a walk, so that what else is to be learned of a segment costs no second one.
class WalObserver {
public:
    virtual ~WalObserver() = default;
    /// Before the first record. `head`: the bytes with which the segment continues a record of the one before, as far as they are there.
    virtual void begin(const WalSegmentHeader& header, const WalWalker& walker, const std::string& head) = 0;
    virtual void record(const WalRecord& record) = 0;
    virtual void end(const WalWalker& walker) = 0;
};

/// Walks a whole segment by itself, in any order of segments: skips the continuation at its head, checks each record's CRC-32C and
/// links. A record cut by the segment's end stays in `tail` for whoever holds the next segment; its commit time is still counted when
/// the cut comes after it. In the first segment of a timeline `header.timeline` is that of its first page, which may be the parent's.
/// Never throws for what the bytes hold. Thread-safe; 16 MiB take a few milliseconds. `observer`, if given, sees the same walk; it is
/// not called for bytes that begin with no segment header.
WalSegmentFacts walk_segment(std::span<const std::byte> segment, WalObserver* observer = nullptr);

/// Completes the record that `facts.tail` began with the segment after it (or after those already given), checks it and adds what could
/// not be read before. False when it goes on beyond `next` too: call again with the segment after. Otherwise the tail is empty
/// afterwards; a record that is not continued as it should be leaves a doubt. True at once without a tail.
bool finish_cut_record(std::span<const std::byte> next, WalSegmentFacts& facts);

/// The same with nothing but the `head` of the following segment's facts, for an unread tail of at most kCutRecordBytes. A head that does
/// not fit means that the record goes on differently or was overwritten after a crash, so that it says nothing worth adding: replay takes
/// a record only when it is continued exactly. `facts` needs header.major, header.segment_size, tail, tail_unread and cut_record.
void finish_cut_record_by_head(std::string_view head, WalSegmentFacts& facts);

/// A commit or abort seen by walking.
struct CommitSeen {
    base::Lsn lsn;  ///< Begin of the record.
    base::Lsn end;
    std::uint32_t xid = 0;
    base::Timestamp time;
    bool committed = true;
};
/// Each commit and abort of a segment in order, up to the first doubt; one that the segment's end cuts only when its time is there.
void for_each_commit(std::span<const std::byte> segment, const std::function<void(const CommitSeen&)>& visit);

/// A stretch of WAL that belongs to one timeline.
struct TimelineHistoryEntry {
    base::Timeline timeline;
    base::Lsn begin;
    base::Lsn end;  ///< The switch point; zero for the last.
};
/// Parses a .history file of `timeline`: its ancestors with their switch points, oldest first, and itself at the end (access/transam's
/// timeline.c: "PARENT<tab>SWITCHPOINT<tab>REASON", comments begin with #). Failure(operation) with the line's number when a line is
/// malformed or the timelines do not rise.
std::vector<TimelineHistoryEntry> parse_timeline_history(std::string_view text, base::Timeline timeline);

}  // namespace howdah::postgres
