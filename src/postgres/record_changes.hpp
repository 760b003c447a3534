#pragma once

#include <bitset>
#include <cstdint>

#include "postgres/block_changes.hpp"
#include "postgres/block_collector.hpp"
#include "postgres/wal_record.hpp"
#include "postgres/wal_walk.hpp"

namespace howdah::postgres {

/// Understands what records say of relations' blocks, one by one. Sources: access/rmgrlist.h, access/xact.h, catalog/storage_xlog.h,
/// catalog/pg_control.h, access/xlog_internal.h, commands/dbcommands_xlog.h of 14 to 18.
class RecordChanges {
public:
    explicit RecordChanges(int major) : major_(major) {}

    /// Adds what the record says. False when it is a cut one and that cannot be told from the bytes before the cut; then nothing was
    /// added. A whole one that makes no sense is a doubt.
    bool add(const WalRecord& record);
    /// Everything added so far. To be called once, at the end.
    BlockChanges take();

    BlockChanges& changes() { return changes_; }

private:
    bool add_main_data(const WalRecord& record, std::span<const std::byte> main, std::uint32_t main_length);
    bool add_xlog(const WalRecord& record, std::span<const std::byte> main, std::uint32_t main_length);
    bool add_transaction(const WalRecord& record, std::span<const std::byte> main);
    bool add_storage(const WalRecord& record, std::span<const std::byte> main);
    bool add_database(const WalRecord& record, std::span<const std::byte> main);
    void doubt_level(const WalRecord& record);
    void doubt_kind(const WalRecord& record, DoubtKind kind);

    int major_;
    BlockReferences references_;  ///< Of the record at hand.
    BlockChanges changes_;
    BlockCollector collector_;
    std::bitset<256> doubted_;  ///< Resource managers.
};

}  // namespace howdah::postgres
