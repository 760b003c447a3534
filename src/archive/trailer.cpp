#include "archive/trailer.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "postgres/wal_changes.hpp"

namespace howdah::archive {

namespace {

void fill(repository::WalTrailer& trailer, const postgres::WalSegmentFacts& facts) {
    trailer.first_record = facts.first_record;
    trailer.end_of_records = facts.end_of_records;
    trailer.records = facts.records;
    trailer.commits = facts.commits;
    trailer.first_commit_time = facts.first_commit_time;
    trailer.last_commit_time = facts.last_commit_time;
    trailer.lowest_xid = facts.lowest_xid;
    trailer.highest_xid = facts.highest_xid;
    for (const auto& point : facts.restore_points) trailer.restore_points.push_back({point.name, point.lsn, point.time});
    for (const auto& tablespace : facts.tablespaces) trailer.tablespaces.push_back({tablespace.oid, tablespace.path, tablespace.lsn});
    trailer.switched = facts.switched;
    trailer.doubt = facts.doubt;
    trailer.head = facts.head;
    if (facts.tail_unread && facts.tail.size() <= postgres::kCutRecordBytes) {
        trailer.tail = facts.tail;
        trailer.cut_record = facts.cut_record;
    }
}

/// Smaller and larger of two that may miss.
void add_times(std::optional<base::Timestamp>& first, std::optional<base::Timestamp>& last, const postgres::WalSegmentFacts& facts) {
    if (facts.first_commit_time) first = first ? std::min(*first, *facts.first_commit_time) : *facts.first_commit_time;
    if (facts.last_commit_time) last = last ? std::max(*last, *facts.last_commit_time) : *facts.last_commit_time;
}

repository::WalTrailer begin_trailer(const std::string& name, const CheckedSegment& checked) {
    const postgres::WalSegmentHeader& header = checked.header;
    repository::WalTrailer trailer;
    trailer.segment = name;
    trailer.system_identifier = header.system_identifier;
    trailer.segment_size = header.segment_size;
    trailer.server_major = header.major;
    trailer.timeline = checked.segment.timeline;
    trailer.begin = checked.segment.begin(header.segment_size);
    trailer.end = checked.segment.end(header.segment_size);
    trailer.end_of_records = trailer.begin;
    return trailer;
}

}  // namespace

repository::WalTrailer make_trailer(const std::string& name, const CheckedSegment& checked, std::span<const std::byte> bytes) {
    auto trailer = begin_trailer(name, checked);
    try {
        fill(trailer, postgres::walk_segment(bytes));
    } catch (const base::Failure& failure) {
        trailer.doubt = failure.what();
    }
    return trailer;
}

SegmentNotes note_segment(const std::string& name, const CheckedSegment& checked, std::span<const std::byte> bytes) {
    SegmentNotes notes{begin_trailer(name, checked), {}};
    try {
        const auto summary = postgres::summarize_segment(bytes);
        fill(notes.trailer, summary.facts);
        notes.summary = summary.changes.encode();
    } catch (const base::Failure& failure) {
        notes.trailer.doubt = failure.what();
    }
    return notes;
}

void finish_trailer(repository::WalTrailer& trailer, const repository::WalTrailer& next) {
    if (trailer.tail.empty()) return;
    postgres::WalSegmentFacts facts;
    facts.header.major = trailer.server_major;
    facts.header.segment_size = trailer.segment_size;
    facts.tail = trailer.tail;
    facts.tail_unread = true;
    facts.cut_record = trailer.cut_record;
    postgres::finish_cut_record_by_head(next.head, facts);
    trailer.commits += facts.commits;
    add_times(trailer.first_commit_time, trailer.last_commit_time, facts);
    for (const auto& point : facts.restore_points) trailer.restore_points.push_back({point.name, point.lsn, point.time});
    for (const auto& space : facts.tablespaces) trailer.tablespaces.push_back({space.oid, space.path, space.lsn});
    if (trailer.doubt.empty()) trailer.doubt = facts.doubt;
}

}  // namespace howdah::archive
