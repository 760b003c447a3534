#include <cstdint>
#include <span>
#include <string>

#include "base/file.hpp"
#include "postgres/record_changes.hpp"
#include "postgres/wal_changes.hpp"

/// WAL from disk or network, damaged in any way: as a segment, as the segment after it, and, because no input has the right checksums,
/// as one record of the major that the first byte chooses, whole and cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace howdah::postgres;
    const auto bytes = std::as_bytes(std::span(data, size));
    SegmentSummary summary = summarize_segment(bytes);
    (void)finish(summary.changes, bytes);
    SegmentChanges part = read_changes(bytes, {0x500004000});
    (void)join(part, summary.changes.edges);
    (void)SegmentChanges::decode(howdah::base::as_bytes(part.encode()));
    if (size < 2) return 0;
    const auto record = bytes.subspan(1);
    for (const std::size_t length : {record.size(), record.size() * 2}) {
        RecordChanges changes(14 + data[0] % 5);
        const bool whole = length == record.size();
        (void)changes.add({{1}, {2}, static_cast<std::uint32_t>(length), whole, record});
        (void)BlockChanges::decode(howdah::base::as_bytes(changes.take().encode()));
    }
    return 0;
}
