#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/units.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::postgres {

/// What the walker understands of records: which they are and what they say. Sources: access/xlogrecord.h, access/xact.h,
/// access/xlog_internal.h, catalog/pg_control.h, commands/tablespace.h, access/rmgrlist.h of each major.
enum class WalRecordKind { other, commit, abort, restore_point, switch_segment, tablespace_create, tablespace_drop };
WalRecordKind kind_of_record(std::uint8_t info, std::uint8_t resource_manager);
inline bool is_switch(std::uint8_t info, std::uint8_t resource_manager) {
    return kind_of_record(info, resource_manager) == WalRecordKind::switch_segment;
}

/// A block that a record names.
struct BlockReference {
    std::uint32_t tablespace = 0;
    std::uint32_t database = 0;
    std::uint32_t relation = 0;
    std::uint32_t block = 0;
    std::uint8_t fork = 0;  ///< As the record has it; PostgreSQL knows 0 to 3.
    bool image = false;     ///< With a full-page image.
};
/// A record's block references: their ids are 0 to 32, each used once.
struct BlockReferences {
    std::array<BlockReference, 33> items;
    std::size_t count = 0;
    std::span<const BlockReference> all() const { return std::span(items).first(count); }
};

/// The headers of a record with the most references take fewer bytes: 24 of its own, 27 for each reference, 13 for the rest.
inline constexpr std::size_t kMostHeaderBytes = 1024;

/// The parts of a record.
struct WalRecordParts {
    std::span<const std::byte> main;  ///< Main data; of a cut record what is there of it, perhaps nothing.
    std::uint32_t main_length = 0;
    std::size_t blocks = 0;      ///< Block references.
    std::size_t images = 0;      ///< Of them those with a full-page image.
    std::size_t compressed = 0;  ///< Of these the compressed ones.
};
/// Goes over the block headers of a record (with its header) that is `length` bytes long, of which `record` holds all or the first.
/// None when they do not fit together or, in a cut record, are not all there. `references`, if given, receives the blocks.
std::optional<WalRecordParts> split_record(std::span<const std::byte> record, std::uint32_t length, int major,
                                           BlockReferences* references = nullptr);

struct TransactionEnd {
    base::Timestamp time;
    std::uint32_t prepared_xid = 0;  ///< Of a prepared transaction; 0 for others, or when the data is cut before it.
};
/// Main data of a commit or abort. None when it is too short for its time.
std::optional<TransactionEnd> read_transaction_end(std::span<const std::byte> main, std::uint8_t info, int major);

/// Main data of the other kinds; none when it is too short or a string has no end. The LSN is the caller's to set.
std::optional<RestorePoint> read_restore_point(std::span<const std::byte> main);
std::optional<TablespaceCreated> read_tablespace_create(std::span<const std::byte> main);
std::optional<std::uint32_t> read_tablespace_drop(std::span<const std::byte> main);

}  // namespace howdah::postgres
