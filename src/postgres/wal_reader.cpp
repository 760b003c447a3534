#include "postgres/wal_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "postgres/load.hpp"
#include "postgres/wal_record.hpp"
#include "postgres/wal_walk.hpp"

namespace howdah::postgres {

namespace {

using base::Failure;
using base::FailureKind;

/// XLOG_PAGE_MAGIC of each released major (access/xlog_internal.h); minor releases never change it.
int major_of_magic(std::uint16_t magic) {
    switch (magic) {
        case 0xD10D: return 14;
        case 0xD110: return 15;
        case 0xD113: return 16;
        case 0xD116: return 17;
        case 0xD118: return 18;
        default: return 0;
    }
}

/// Whether transaction a is before b on the circle of 32 bits.
bool precedes(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

/// A commit or abort; none when the record is cut before its time or, being whole, makes no sense.
std::optional<CommitSeen> read_commit(const WalRecord& record, bool committed, int major) {
    const auto parts = split_record(record.bytes, record.length, major);
    if (!parts) return std::nullopt;
    const auto end = read_transaction_end(parts->main, record.info(), major);
    if (!end) return std::nullopt;
    return CommitSeen{record.begin, record.end, end->prepared_xid ? end->prepared_xid : record.xid(), end->time, committed};
}

void count_commit(const CommitSeen& seen, WalSegmentFacts& facts) {
    if (seen.xid != 0) {
        if (facts.lowest_xid == 0 || precedes(seen.xid, facts.lowest_xid)) facts.lowest_xid = seen.xid;
        if (facts.highest_xid == 0 || precedes(facts.highest_xid, seen.xid)) facts.highest_xid = seen.xid;
    }
    if (!seen.committed) return;
    ++facts.commits;
    facts.first_commit_time = std::min(facts.first_commit_time.value_or(seen.time), seen.time);
    facts.last_commit_time = std::max(facts.last_commit_time.value_or(seen.time), seen.time);
}

/// Adds what a whole record of the kind says. False when its data makes no sense.
bool add_whole(const WalRecord& record, WalRecordKind kind, WalSegmentFacts& facts) {
    const auto parts = split_record(record.bytes, record.length, facts.header.major);
    if (!parts) return false;
    if (kind == WalRecordKind::restore_point) {
        auto point = read_restore_point(parts->main);
        if (!point) return false;
        point->lsn = record.end;
        facts.restore_points.push_back(std::move(*point));
    } else if (kind == WalRecordKind::tablespace_create) {
        auto created = read_tablespace_create(parts->main);
        if (!created) return false;
        created->lsn = record.begin;
        facts.tablespaces.push_back(std::move(*created));
    } else {
        const auto dropped = read_tablespace_drop(parts->main);
        if (!dropped) return false;
        facts.tablespaces_dropped.push_back(*dropped);
    }
    return true;
}

/// Adds what a record says, which has its header. False when that cannot be read from its bytes.
bool add_record(const WalRecord& record, WalSegmentFacts& facts) {
    const WalRecordKind kind = kind_of_record(record.info(), record.resource_manager());
    switch (kind) {
        case WalRecordKind::other:
        case WalRecordKind::switch_segment: return true;
        case WalRecordKind::commit:
        case WalRecordKind::abort: {
            const auto seen = read_commit(record, kind == WalRecordKind::commit, facts.header.major);
            if (seen) count_commit(*seen, facts);
            return seen.has_value();
        }
        default: return record.whole && add_whole(record, kind, facts);
    }
}

/// Why a tail that is complete by now says nothing; empty when it does. Adds what could not be read before.
std::string_view read_finished_tail(base::Lsn end, WalSegmentFacts& facts) {
    const auto bytes = base::as_bytes(facts.tail);
    if (!record_sum_is_right(bytes)) return "its checksum is wrong";
    if (!facts.tail_unread) return {};
    const WalRecord record{facts.cut_record, end, static_cast<std::uint32_t>(bytes.size()), true, bytes};
    if (!add_record(record, facts)) return "it makes no sense";
    facts.tail_unread = false;
    return {};
}

/// The length that a record's first bytes give; 0 when they are too few.
std::uint32_t length_of_tail(const std::string& tail) { return tail.size() < 8 ? 0 : load<std::uint32_t>(base::as_bytes(tail), 0); }

void doubt_tail(std::string_view why, WalSegmentFacts& facts) {
    if (facts.doubt.empty()) facts.doubt = fmt::format("the record cut by the segment's end is not continued: {}", why);
}

}  // namespace

WalSegmentHeader parse_segment_header(std::span<const std::byte> bytes) {
    constexpr const char* kHint = "give a whole WAL segment file of PostgreSQL 14 to 18";
    if (bytes.size() < kWalLongHeader)
        throw Failure(FailureKind::operation, fmt::format("this is no WAL segment: {} bytes", bytes.size()), kHint);
    constexpr std::uint16_t kLongHeader = 0x0002, kKnownFlags = 0x000F;
    const auto info = load<std::uint16_t>(bytes, 2);
    if (!(info & kLongHeader) || (info & ~kKnownFlags))
        throw Failure(FailureKind::operation, fmt::format("this is no WAL segment: page flags {:04X}", info), kHint);
    WalSegmentHeader header;
    header.magic = load<std::uint16_t>(bytes, 0);
    header.major = major_of_magic(header.magic);
    header.timeline = {load<std::uint32_t>(bytes, 4)};
    header.page_address = {load<std::uint64_t>(bytes, 8)};
    header.system_identifier = {load<std::uint64_t>(bytes, 24)};
    header.segment_size = load<std::uint32_t>(bytes, 32);
    header.block_size = load<std::uint32_t>(bytes, 36);
    if (!std::has_single_bit(header.segment_size) || header.segment_size < (1u << 20) || header.segment_size > (1u << 30))
        throw Failure(FailureKind::operation, fmt::format("this is no WAL segment: segment size {}", header.segment_size), kHint);
    return header;
}

WalSegmentFacts walk_segment(std::span<const std::byte> segment, WalObserver* observer) {
    WalSegmentFacts facts;
    try {
        facts.header = parse_segment_header(segment);
    } catch (const Failure& failure) {
        facts.doubt = failure.what();
        return facts;
    }
    WalWalker walker(segment, facts.header, &facts.head);
    if (observer) observer->begin(facts.header, walker, facts.head);
    if (facts.head.size() != walker.head_length() || facts.head.size() > kCutRecordBytes) facts.head = {};
    WalRecord record;
    while (walker.next(record)) {
        if (!facts.first_record) facts.first_record = record.begin;
        ++facts.records;
        if (observer) observer->record(record);
        const bool understood = record.has_header() && add_record(record, facts);
        if (!record.whole) {
            facts.tail = base::as_text(record.bytes);
            facts.cut_record = record.begin;
            facts.tail_unread = !understood;
        } else if (!understood && facts.doubt.empty()) {
            facts.doubt = fmt::format("the record at {} makes no sense", base::text(record.begin));
        }
    }
    if (observer) observer->end(walker);
    facts.end_of_records = walker.position();
    facts.switched = walker.switched();
    if (facts.doubt.empty()) facts.doubt = walker.doubt();
    return facts;
}

void for_each_commit(std::span<const std::byte> segment, const std::function<void(const CommitSeen&)>& visit) {
    WalSegmentHeader header;
    try {
        header = parse_segment_header(segment);
    } catch (const Failure&) {
        return;
    }
    WalWalker walker(segment, header);
    WalRecord record;
    while (walker.next(record)) {
        if (!record.has_header()) continue;
        const WalRecordKind kind = kind_of_record(record.info(), record.resource_manager());
        if (kind != WalRecordKind::commit && kind != WalRecordKind::abort) continue;
        if (const auto seen = read_commit(record, kind == WalRecordKind::commit, header.major)) visit(*seen);
    }
}

bool finish_cut_record(std::span<const std::byte> next, WalSegmentFacts& facts) {
    if (facts.tail.empty()) return true;
    const Continuation rest = continue_record(next, facts.header.magic, length_of_tail(facts.tail), facts.tail);
    if (rest.kind == Continuation::goes_on) return false;
    if (rest.kind != Continuation::whole)
        doubt_tail(rest.why, facts);
    else if (const auto why = read_finished_tail(rest.end, facts); !why.empty())
        doubt_tail(why, facts);
    facts.tail.clear();
    return true;
}

void finish_cut_record_by_head(std::string_view head, WalSegmentFacts& facts) {
    const auto length = length_of_tail(facts.tail);
    if (!facts.tail_unread || head.empty() || length < kWalRecordHeader || facts.tail.size() + head.size() != length) return;
    const auto segment_end = (facts.cut_record.value / facts.header.segment_size + 1) * facts.header.segment_size;
    const base::Lsn end{segment_end + (kWalLongHeader + head.size() + 7) / 8 * 8};
    facts.tail += head;
    if (const auto why = read_finished_tail(end, facts); !why.empty()) doubt_tail(why, facts);
    facts.tail.clear();
}

}  // namespace howdah::postgres
