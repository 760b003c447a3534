#include <cstdint>
#include <span>

#include "postgres/wal_reader.hpp"

/// A WAL segment from disk or network, damaged in any way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    auto facts = howdah::postgres::walk_segment(bytes);
    howdah::postgres::for_each_commit(bytes, [](const howdah::postgres::CommitSeen&) {});
    howdah::postgres::finish_cut_record(bytes, facts);
    return 0;
}
