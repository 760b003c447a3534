#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/units.hpp"

namespace howdah::postgres {

/// pg_control's state field (DBState in catalog/pg_control.h).
enum class ClusterState {
    starting_up = 0,
    shut_down = 1,
    shut_down_in_recovery = 2,
    shutting_down = 3,
    in_crash_recovery = 4,
    in_archive_recovery = 5,
    in_production = 6
};

/// What global/pg_control says, for PostgreSQL 14 to 18 (the layout is chosen by pg_control_version; source: catalog/pg_control.h of
/// each major). An unknown version is Failure(operation) naming it; 13 and older are named as too old.
struct ControlFile {
    base::SystemIdentifier system_identifier;
    std::uint32_t control_version = 0;
    std::uint32_t catalog_version = 0;
    int major = 0;  ///< From the catalog and control versions.
    ClusterState state = ClusterState::starting_up;
    base::Lsn checkpoint;
    base::Lsn redo;
    base::Timeline timeline;  ///< Of the checkpoint.
    base::Timeline previous_timeline;
    base::Lsn minimum_recovery_point;
    base::Timeline minimum_recovery_timeline;
    base::Timestamp checkpoint_time;  ///< Whole seconds.
    int wal_level = 0;                ///< 0 minimal, 1 replica, 2 logical.
    int max_connections = 0;
    int max_worker_processes = 0;
    int max_wal_senders = 0;
    int max_prepared_transactions = 0;
    int max_locks_per_transaction = 0;
    bool track_commit_timestamp = false;
    std::uint32_t block_size = 0;
    std::uint32_t segment_blocks = 0;  ///< Blocks per relation segment file (RELSEG_SIZE), 131072 for 1 GiB.
    std::uint32_t wal_segment_size = 0;
    std::uint32_t data_checksum_version = 0;  ///< 0: off.
    bool full_page_writes = false;            ///< Of the checkpoint.
};

/// Parses and checks the CRC-32C; Failure(operation) "pg_control is damaged" with both sums.
ControlFile parse_control_file(std::span<const std::byte> bytes);

/// Reads DATA/global/pg_control, again until its CRC is right (a running server may be writing it: trap T13), for up to a second.
/// Also gives the bytes that were right.
ControlFile read_control_file(const std::filesystem::path& data_directory, std::string* bytes = nullptr);

}  // namespace howdah::postgres
