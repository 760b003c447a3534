#include "postgres/wal_record.hpp"

#include <cstring>
#include <string_view>

#include "base/file.hpp"
#include "postgres/load.hpp"
#include "postgres/record_reader.hpp"
#include "postgres/wal_walk.hpp"

namespace howdah::postgres {

namespace {

constexpr std::uint8_t kXlog = 0, kTransaction = 1, kTablespace = 5;
constexpr std::uint8_t kTransactionHasInfo = 0x80;

/// Ids of the parts of a record; smaller ones are block references.
constexpr std::uint8_t kDataShort = 255, kDataLong = 254, kOrigin = 253, kTopXid = 252, kLastBlock = 32;
constexpr std::uint8_t kHasImage = 0x10, kSameRelation = 0x80;

/// PostgreSQL counts microseconds from 2000. Added without sign, as nothing bounds the stored number.
base::Timestamp from_postgres_time(std::int64_t microseconds) {
    constexpr std::uint64_t kYear2000 = 946'684'800'000'000;
    return base::Timestamp(base::Duration(static_cast<std::int64_t>(static_cast<std::uint64_t>(microseconds) + kYear2000)));
}

bool image_is_compressed(std::uint8_t image_info, int major) {
    constexpr std::uint8_t kCompressed14 = 0x02, kPglz = 0x04, kLz4 = 0x08, kZstd = 0x10;
    return (image_info & (major <= 14 ? kCompressed14 : kPglz | kLz4 | kZstd)) != 0;
}

/// One block reference after its id; gives the bytes of data that belong to it. `reference` holds the one before, whose relation it may
/// share.
std::uint64_t read_block(RecordReader& reader, int major, WalRecordParts& parts, BlockReference& reference) {
    constexpr std::uint8_t kHasHole = 0x01, kForkMask = 0x0F;
    const auto flags = reader.take<std::uint8_t>();
    std::uint64_t data = reader.take<std::uint16_t>();
    ++parts.blocks;
    if (flags & kHasImage) {
        ++parts.images;
        data += reader.take<std::uint16_t>();
        reader.skip(2);
        const auto image_info = reader.take<std::uint8_t>();
        if (image_is_compressed(image_info, major)) {
            ++parts.compressed;
            if (image_info & kHasHole) reader.skip(2);
        }
    }
    if (!(flags & kSameRelation)) {
        reference.tablespace = reader.take<std::uint32_t>();
        reference.database = reader.take<std::uint32_t>();
        reference.relation = reader.take<std::uint32_t>();
    }
    reference.block = reader.take<std::uint32_t>();
    reference.fork = flags & kForkMask;
    reference.image = (flags & kHasImage) != 0;
    // PostgreSQL refuses a first reference without a relation too.
    if (parts.blocks == 1 && (flags & kSameRelation)) reader.fail();
    return data;
}

/// Text up to its zero byte.
std::optional<std::string> read_text(std::span<const std::byte> bytes) {
    const std::string_view text = base::as_text(bytes);
    const auto end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(text.substr(0, end));
}

}  // namespace

WalRecordKind kind_of_record(std::uint8_t info, std::uint8_t resource_manager) {
    switch (resource_manager) {
        case kXlog:
            if ((info & 0xF0) == 0x40) return WalRecordKind::switch_segment;
            if ((info & 0xF0) == 0x70) return WalRecordKind::restore_point;
            return WalRecordKind::other;
        case kTransaction:
            switch (info & 0x70) {
                case 0x00:
                case 0x30: return WalRecordKind::commit;
                case 0x20:
                case 0x40: return WalRecordKind::abort;
                default: return WalRecordKind::other;
            }
        case kTablespace:
            if ((info & 0xF0) == 0x00) return WalRecordKind::tablespace_create;
            if ((info & 0xF0) == 0x10) return WalRecordKind::tablespace_drop;
            return WalRecordKind::other;
        default: return WalRecordKind::other;
    }
}

std::optional<WalRecordParts> split_record(std::span<const std::byte> record, std::uint32_t length, int major,
                                           BlockReferences* references) {
    if (references) references->count = 0;
    BlockReference last;
    int last_id = -1;
    RecordReader reader(record);
    reader.skip(kWalRecordHeader);
    WalRecordParts parts;
    std::uint64_t data = 0;
    // The headers end where the data they have announced fills the rest of the record.
    while (!reader.failed() && reader.at() + data < length) {
        const auto id = reader.take<std::uint8_t>();
        if (id == kDataShort || id == kDataLong) {
            parts.main_length = id == kDataShort ? reader.take<std::uint8_t>() : reader.take<std::uint32_t>();
            data += parts.main_length;
            break;
        }
        if (id == kOrigin)
            reader.skip(2);
        else if (id == kTopXid)
            reader.skip(4);
        else if (id <= kLastBlock && id > last_id) {
            data += read_block(reader, major, parts, last);
            if (references) references->items[references->count++] = last;
            last_id = id;
        } else
            return std::nullopt;
    }
    if (reader.failed() || reader.at() + data != length) return std::nullopt;
    const std::size_t main_begin = length - parts.main_length;
    if (main_begin < record.size()) parts.main = record.subspan(main_begin);
    return parts;
}

std::optional<TransactionEnd> read_transaction_end(std::span<const std::byte> main, std::uint8_t info, int major) {
    enum : std::uint32_t { database = 1, subtransactions = 2, relations = 4, invalidations = 8, two_phase = 16, dropped_statistics = 256 };
    RecordReader reader(main);
    TransactionEnd end{from_postgres_time(reader.take<std::int64_t>()), 0};
    if (reader.failed()) return std::nullopt;
    const std::uint32_t has = (info & kTransactionHasInfo) ? reader.take<std::uint32_t>() : 0;
    if (!(has & two_phase)) return end;
    const auto skip_list = [&](std::uint64_t item) { reader.skip(item * reader.take<std::uint32_t>()); };
    if (has & database) reader.skip(8);
    if (has & subtransactions) skip_list(4);
    if (has & relations) skip_list(12);
    if (has & dropped_statistics) skip_list(major >= 18 ? 16 : 12);
    if (has & invalidations) skip_list(16);
    end.prepared_xid = reader.take<std::uint32_t>();
    return end;
}

std::optional<RestorePoint> read_restore_point(std::span<const std::byte> main) {
    if (main.size() < 8) return std::nullopt;
    auto name = read_text(main.subspan(8));
    if (!name) return std::nullopt;
    return RestorePoint{std::move(*name), {}, from_postgres_time(load<std::int64_t>(main, 0))};
}

std::optional<TablespaceCreated> read_tablespace_create(std::span<const std::byte> main) {
    if (main.size() < 4) return std::nullopt;
    auto path = read_text(main.subspan(4));
    if (!path) return std::nullopt;
    return TablespaceCreated{load<std::uint32_t>(main, 0), std::move(*path), {}};
}

std::optional<std::uint32_t> read_tablespace_drop(std::span<const std::byte> main) {
    if (main.size() < 4) return std::nullopt;
    return load<std::uint32_t>(main, 0);
}

}  // namespace howdah::postgres
