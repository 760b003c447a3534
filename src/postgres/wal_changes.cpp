#include "postgres/wal_changes.hpp"

#include <fmt/core.h>

#include "base/file.hpp"
#include "postgres/record_changes.hpp"
#include "postgres/varint.hpp"
#include "postgres/wal_record.hpp"
#include "postgres/wal_walk.hpp"

namespace howdah::postgres {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHeadOverwrites = 1, kHasHead = 2, kHasCut = 4;
constexpr std::uint64_t kAny32 = 0xFFFFFFFF;

class ChangesReader : public WalObserver {
public:
    void begin(const WalSegmentHeader& header, const WalWalker& walker, const std::string& head) override {
        records_ = RecordChanges(header.major);
        SegmentEdges& edges = result_.edges;
        edges.magic = header.magic;
        edges.major = header.major;
        edges.begin = header.page_address;
        edges.segment_size = header.segment_size;
        edges.head_length = walker.head_length();
        edges.head_overwrites = walker.head_overwrites();
        edges.head = edges.head_length <= kCutRecordBytes ? head : head.substr(0, kMostHeaderBytes);
    }
    void record(const WalRecord& record) override {
        if (records_.add(record)) return;
        SegmentEdges& edges = result_.edges;
        edges.cut_record = record.begin;
        edges.cut_length = record.length;
        edges.tail = base::as_text(record.bytes);
        edges.tail_length = static_cast<std::uint32_t>(edges.tail.size());
    }
    void end(const WalWalker& walker) override {
        if (!walker.doubt().empty()) doubt(walker.doubt(), walker.position());
    }
    void doubt(const std::string& why, base::Lsn lsn) { records_.changes().doubt({DoubtKind::unreadable, why, lsn}); }
    SegmentChanges take() {
        result_.changes = records_.take();
        return std::move(result_);
    }

private:
    RecordChanges records_{0};
    SegmentChanges result_;
};

void forget_cut(SegmentEdges& edges) {
    edges.cut_record = {};
    edges.cut_length = edges.tail_length = 0;
    edges.tail.clear();
}

/// Adds the cut record by all of its bytes or the first of them. False when they do not tell enough.
bool add_cut_record(SegmentChanges& segment, std::span<const std::byte> bytes) {
    const bool whole = bytes.size() == segment.edges.cut_length;
    if (whole && !record_sum_is_right(bytes)) {
        give_up(segment, "its checksum is wrong");
        return true;
    }
    const WalRecord record{segment.edges.cut_record, {}, segment.edges.cut_length, whole, bytes};
    RecordChanges records(segment.edges.major);
    if (!records.add(record)) return false;
    segment.changes.append(records.take());
    forget_cut(segment.edges);
    return true;
}

}  // namespace

SegmentChanges read_changes(std::span<const std::byte> segment, base::Lsn to) {
    ChangesReader reader;
    try {
        const WalSegmentHeader header = parse_segment_header(segment);
        std::string head;
        WalWalker walker(segment, header, &head);
        if (to) walker.end_at(to);
        reader.begin(header, walker, head);
        WalRecord record;
        while (walker.next(record)) reader.record(record);
        reader.end(walker);
    } catch (const base::Failure& failure) {
        reader.doubt(failure.what(), {});
    }
    return reader.take();
}

SegmentSummary summarize_segment(std::span<const std::byte> segment) {
    ChangesReader reader;
    SegmentSummary summary;
    summary.facts = walk_segment(segment, &reader);
    summary.changes = reader.take();
    if (summary.changes.edges.magic == 0) summary.changes.changes.doubt({DoubtKind::unreadable, summary.facts.doubt, {}});
    return summary;
}

void give_up(SegmentChanges& earlier, const std::string& why) {
    if (!earlier.edges.cut_record) return;
    const base::Lsn lsn = earlier.edges.cut_record;
    earlier.changes.doubt({DoubtKind::unfinished, fmt::format("the record at {} is not continued: {}", base::text(lsn), why), lsn});
    forget_cut(earlier.edges);
}

Joined join(SegmentChanges& earlier, const SegmentEdges& next) {
    SegmentEdges& edges = earlier.edges;
    if (!edges.cut_record) return Joined::done;
    if (next.magic != 0 && next.begin.value != edges.begin.value + edges.segment_size)
        give_up(earlier, fmt::format("the segment at {} does not follow", base::text(next.begin)));
    else if (next.head_overwrites && next.head_length == 0)
        forget_cut(edges);
    else if (next.magic != edges.magic || next.head_length != edges.cut_length - edges.tail_length)
        give_up(earlier, "the following segment does not continue it");
    else if (edges.tail.size() != edges.tail_length || !add_cut_record(earlier, base::as_bytes(edges.tail + next.head)))
        return Joined::needs_segments;
    return Joined::done;
}

bool finish(SegmentChanges& earlier, std::span<const std::byte> next) {
    SegmentEdges& edges = earlier.edges;
    if (!edges.cut_record) return true;
    if (edges.tail.size() < edges.tail_length) {
        give_up(earlier, "the bytes before the cut are not there");
        return true;
    }
    const Continuation rest = continue_record(next, edges.magic, edges.cut_length, edges.tail);
    switch (rest.kind) {
        case Continuation::goes_on: return false;
        case Continuation::overwritten: forget_cut(edges); return true;
        case Continuation::broken: give_up(earlier, rest.why); return true;
        case Continuation::whole: break;
    }
    // What is whole is always understood or doubted.
    const std::string bytes = std::move(edges.tail);
    add_cut_record(earlier, base::as_bytes(bytes));
    return true;
}

std::string SegmentChanges::encode() const {
    std::string out(1, static_cast<char>(kVersion));
    put_varint(out, edges.magic);
    put_varint(out, static_cast<std::uint64_t>(edges.major));
    put_varint(out, edges.begin.value);
    put_varint(out, edges.segment_size);
    out.push_back(static_cast<char>((edges.head_overwrites ? kHeadOverwrites : 0) | (edges.head_length ? kHasHead : 0) |
                                    (edges.cut_record ? kHasCut : 0)));
    if (edges.head_length) {
        put_varint(out, edges.head_length);
        put_varint(out, edges.head.size());
        out += edges.head;
    }
    if (edges.cut_record) {
        const bool kept = edges.tail.size() == edges.tail_length && edges.tail_length <= kCutRecordBytes;
        put_varint(out, edges.cut_record.value);
        put_varint(out, edges.cut_length);
        put_varint(out, edges.tail_length);
        put_varint(out, kept ? edges.tail.size() : 0);
        if (kept) out += edges.tail;
    }
    return out + changes.encode();
}

SegmentChanges SegmentChanges::decode(std::span<const std::byte> bytes) {
    VarintReader reader(bytes, "a segment's block summary");
    if (reader.byte() != kVersion) reader.damaged("it is of no known version");
    SegmentChanges segment;
    SegmentEdges& edges = segment.edges;
    edges.magic = static_cast<std::uint16_t>(reader.varint(0xFFFF));
    edges.major = static_cast<int>(reader.varint(1000));
    edges.begin.value = reader.varint(~std::uint64_t{0});
    edges.segment_size = reader.varint32();
    const std::uint8_t parts = reader.byte();
    if (parts > (kHeadOverwrites | kHasHead | kHasCut)) reader.damaged("it has an unknown part");
    edges.head_overwrites = parts & kHeadOverwrites;
    if (parts & kHasHead) {
        edges.head_length = reader.varint32();
        edges.head = base::as_text(reader.take(static_cast<std::size_t>(reader.varint(kCutRecordBytes))));
        if (edges.head_length == 0 || edges.head.size() > edges.head_length) reader.damaged("its head is too long");
    }
    if (parts & kHasCut) {
        edges.cut_record.value = reader.varint(~std::uint64_t{0});
        edges.cut_length = reader.varint32();
        edges.tail_length = static_cast<std::uint32_t>(reader.varint(kAny32));
        edges.tail = base::as_text(reader.take(static_cast<std::size_t>(reader.varint(kCutRecordBytes))));
        const bool fits = edges.cut_length >= kWalRecordHeader && (edges.tail.empty() || edges.tail.size() == edges.tail_length);
        if (!edges.cut_record || edges.tail_length == 0 || edges.tail_length >= edges.cut_length || !fits)
            reader.damaged("its cut record makes no sense");
    }
    segment.changes = BlockChanges::decode(reader.take_rest());
    return segment;
}

}  // namespace howdah::postgres
