#include <cstdint>
#include <span>

#include "postgres/wal_record.hpp"

/// A record and its data as if its checksum were right: the first byte chooses the major and the kind of the data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace howdah::postgres;
    if (size == 0) return 0;
    const int major = 14 + data[0] % 5;
    const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
    if (const auto parts = split_record(bytes, static_cast<std::uint32_t>(bytes.size()), major))
        (void)read_transaction_end(parts->main, 0x80, major);
    (void)split_record(bytes, static_cast<std::uint32_t>(bytes.size() * 2), major);
    (void)read_transaction_end(bytes, data[0], major);
    (void)read_restore_point(bytes);
    (void)read_tablespace_create(bytes);
    (void)read_tablespace_drop(bytes);
    return 0;
}
