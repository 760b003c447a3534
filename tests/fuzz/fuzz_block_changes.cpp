#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "postgres/wal_changes.hpp"

/// A stored block summary, damaged in any way: it fails or is one that is stored the same way again and adds nothing to itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace howdah::postgres;
    const auto bytes = std::as_bytes(std::span(data, size));
    try {
        const BlockChanges changes = BlockChanges::decode(bytes);
        const std::string stored = changes.encode();
        BlockChanges twice = BlockChanges::decode(howdah::base::as_bytes(stored));
        if (twice.encode() != stored) std::abort();
        if (!changes.doubted()) {
            twice.append(changes);
            if (twice.encode() != stored) std::abort();
        }
        for (const auto& [key, fork] : changes.forks()) (void)changes.changed(key, 70'000, 140'000, {10, 135'000});
    } catch (const howdah::base::Failure&) {
    }
    try {
        SegmentChanges segment = SegmentChanges::decode(bytes);
        const SegmentEdges edges = segment.edges;
        (void)join(segment, edges);
        (void)SegmentChanges::decode(howdah::base::as_bytes(segment.encode()));
    } catch (const howdah::base::Failure&) {
    }
    return 0;
}
