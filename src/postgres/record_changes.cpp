#include "postgres/record_changes.hpp"

#include <fmt/core.h>

#include "base/hooks.hpp"
#include "postgres/record_reader.hpp"
#include "postgres/wal_record.hpp"

namespace howdah::postgres {

namespace {

/// Resource managers (access/rmgrlist.h, the same from 14 to 18); extensions have 128 and above.
enum Manager : std::uint8_t { kXlog = 0, kTransaction = 1, kStorage = 2, kDatabase = 4, kLastOwn = 21 };
/// Set by whoever writes a record that changes relations in other ways than by its block references (XLR_SPECIAL_REL_UPDATE).
constexpr std::uint8_t kSpecialUpdate = 0x01;

constexpr bool is_transaction_end(std::uint8_t info) {
    const int kind = info & 0x70;
    return kind == 0x00 || kind == 0x20 || kind == 0x30 || kind == 0x40;
}

/// Whether the main data can matter.
constexpr bool matters(std::uint8_t manager, std::uint8_t info) {
    return manager == kXlog || manager == kTransaction || manager == kStorage || manager == kDatabase || manager > kLastOwn ||
           (info & kSpecialUpdate) != 0;
}

ForkKey read_relation(RecordReader& reader) {
    ForkKey key;
    key.tablespace = reader.take<std::uint32_t>();
    key.database = reader.take<std::uint32_t>();
    key.relation = reader.take<std::uint32_t>();
    return key;
}

}  // namespace

bool RecordChanges::add(const WalRecord& record) {
    if (!record.has_header()) return false;
    const auto nonsense = [&] {
        if (record.whole)
            changes_.doubt({DoubtKind::unreadable, fmt::format("the record at {} makes no sense", base::text(record.begin)), record.begin});
        return record.whole;
    };
    const auto parts = split_record(record.bytes, record.length, major_, &references_);
    if (!parts) return nonsense();
    for (const BlockReference& each : references_.all())
        if (each.fork > static_cast<std::uint8_t>(Fork::init) || each.block == kNoBlock) return nonsense();
    if (matters(record.resource_manager(), record.info()) && !add_main_data(record, parts->main, parts->main_length)) return nonsense();
    for (const BlockReference& each : references_.all())
        collector_.add({each.tablespace, each.database, each.relation, static_cast<Fork>(each.fork)}, each.block);
    return true;
}

BlockChanges RecordChanges::take() {
    collector_.move_to(changes_);
    return std::move(changes_);
}

/// False when the data is too short for what the record must say.
bool RecordChanges::add_main_data(const WalRecord& record, std::span<const std::byte> main, std::uint32_t main_length) {
    const std::uint8_t manager = record.resource_manager();
    switch (manager) {
        case kXlog:
            if (record.info() & kSpecialUpdate) doubt_kind(record, DoubtKind::unknown_record);
            return add_xlog(record, main, main_length);
        case kTransaction: return add_transaction(record, main);
        case kStorage: return add_storage(record, main);
        case kDatabase: return add_database(record, main);
        default: doubt_kind(record, manager > kLastOwn ? DoubtKind::unknown_manager : DoubtKind::unknown_record); return true;
    }
}

bool RecordChanges::add_xlog(const WalRecord& record, std::span<const std::byte> main, std::uint32_t main_length) {
    RecordReader reader(main);
    const auto read_level = [&](std::size_t offset) {
        reader.skip(offset);
        const auto level = reader.take<std::uint32_t>();
        if (!reader.failed() && level == 0) doubt_level(record);
        return !reader.failed();
    };
    // From 17 on other records than a change of parameters say the wal_level too.
    const bool told = major_ >= 17;
    switch (record.info() & 0xF0) {
        case 0x00: return !told || read_level(20);                      // XLOG_CHECKPOINT_SHUTDOWN
        case 0x60: return read_level(20);                               // XLOG_PARAMETER_CHANGE
        case 0x90: return !told || main_length < 20 || read_level(16);  // XLOG_END_OF_RECOVERY
        case 0xE0:                                                      // XLOG_CHECKPOINT_REDO
            if (told) return read_level(0);
            break;
        case 0xC0:
        case 0xF0: break;
        default: return true;
    }
    doubt_kind(record, DoubtKind::unknown_record);
    return true;
}

bool RecordChanges::add_transaction(const WalRecord& record, std::span<const std::byte> main) {
    enum : std::uint32_t { database = 1, subtransactions = 2, relations = 4 };
    constexpr std::uint8_t kHasInfo = 0x80;
    if (!is_transaction_end(record.info())) {
        // Known are also those that prepare, assign and invalidate.
        if ((record.info() & 0x70) == 0x70 || (record.info() & kSpecialUpdate)) doubt_kind(record, DoubtKind::unknown_record);
        return true;
    }
    if (!(record.info() & kHasInfo)) return true;
    RecordReader reader(main);
    reader.skip(8);
    const auto has = reader.take<std::uint32_t>();
    if (reader.failed() || !(has & relations)) return !reader.failed();
    if (has & database) reader.skip(8);
    if (has & subtransactions) reader.skip(std::uint64_t{4} * reader.take<std::uint32_t>());
    const auto count = reader.take<std::uint32_t>();
    RecordReader check = reader;
    if (!check.skip(std::uint64_t{12} * count)) return false;
    for (std::uint32_t at = 0; at < count && base::guard("T5.made_and_dropped"); ++at) {
        ForkKey key = read_relation(reader);
        for (const Fork fork : kForks) {
            key.fork = fork;
            changes_.cut(key, 0);
        }
    }
    return true;
}

bool RecordChanges::add_storage(const WalRecord& record, std::span<const std::byte> main) {
    constexpr std::uint32_t kTruncatesMain = 1, kKnownFlags = 7;
    RecordReader reader(main);
    switch (record.info() & 0xF0) {
        case 0x10: {  // XLOG_SMGR_CREATE
            ForkKey key = read_relation(reader);
            const auto fork = reader.take<std::uint32_t>();
            if (reader.failed() || fork > static_cast<std::uint32_t>(Fork::init)) return false;
            key.fork = static_cast<Fork>(fork);
            if (base::guard("T5.made_and_dropped")) changes_.cut(key, 0);
            return true;
        }
        case 0x20: {  // XLOG_SMGR_TRUNCATE
            const auto blocks = reader.take<std::uint32_t>();
            const ForkKey key = read_relation(reader);
            const auto flags = reader.take<std::uint32_t>();
            if (reader.failed() || (flags & ~kKnownFlags)) return false;
            // The number counts blocks of the main fork, whatever forks are truncated with it (T3).
            if ((flags & kTruncatesMain) && base::guard("T3.truncation")) changes_.cut(key, blocks);
            return true;
        }
        default: doubt_kind(record, DoubtKind::unknown_record); return true;
    }
}

bool RecordChanges::add_database(const WalRecord& record, std::span<const std::byte> main) {
    enum Kind { create_by_files, create_by_wal, drop, unknown };
    const int info = record.info() & 0xF0;
    // 14 has one way to create and numbers dropping 0x10.
    constexpr Kind kKinds14[] = {create_by_files, drop, unknown}, kKinds[] = {create_by_files, create_by_wal, drop};
    const Kind kind = info > 0x20 ? unknown : (major_ <= 14 ? kKinds14 : kKinds)[info >> 4];
    if (kind == unknown) {
        doubt_kind(record, DoubtKind::unknown_record);
        return true;
    }
    RecordReader reader(main);
    const auto database = reader.take<std::uint32_t>();
    const std::uint32_t tablespaces = kind == drop ? reader.take<std::uint32_t>() : 1;
    RecordReader check = reader;
    if (!check.skip(std::uint64_t{4} * tablespaces)) return false;
    if (!base::guard("T4.databases")) return true;
    for (std::uint32_t at = 0; at < tablespaces; ++at) changes_.replace({reader.take<std::uint32_t>(), database});
    return true;
}

void RecordChanges::doubt_level(const WalRecord& record) {
    if (!base::guard("T8.minimal_level")) return;
    changes_.doubt(
        {DoubtKind::minimal_level, fmt::format("wal_level is minimal by the record at {}", base::text(record.begin)), record.begin});
}

void RecordChanges::doubt_kind(const WalRecord& record, DoubtKind kind) {
    const std::uint8_t manager = record.resource_manager();
    if (doubted_[manager] || !base::guard("T6.unknown_records")) return;
    doubted_.set(manager);
    changes_.doubt({kind,
                    fmt::format("the record at {} is of an unknown kind: resource manager {}, info {:02X}", base::text(record.begin),
                                manager, record.info()),
                    record.begin});
}

}  // namespace howdah::postgres
