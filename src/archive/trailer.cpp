#include "archive/trailer.hpp"

#include "base/failure.hpp"

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
}

}  // namespace

repository::WalTrailer make_trailer(const std::string& name, const CheckedSegment& checked, std::span<const std::byte> bytes) {
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
    try {
        fill(trailer, postgres::walk_segment(bytes));
    } catch (const base::Failure& failure) {
        trailer.doubt = failure.what();
    }
    return trailer;
}

}  // namespace howdah::archive
