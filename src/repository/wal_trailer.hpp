#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace howdah::repository {

/// What a WAL segment's object says of it in its trailer frame (JSON). archive/ fills it from the walker; the format is here so that
/// repository stays free of PostgreSQL's file formats.
struct WalTrailer {
    std::string segment;
    base::SystemIdentifier system_identifier;
    std::uint32_t segment_size = 0;
    int server_major = 0;
    base::Timeline timeline;
    base::Lsn begin, end;  ///< Of the segment.
    base::Lsn first_record, end_of_records;
    std::uint64_t records = 0;
    std::uint64_t commits = 0;
    std::optional<base::Timestamp> first_commit_time, last_commit_time;
    std::uint32_t lowest_xid = 0, highest_xid = 0;
    struct RestorePoint {
        std::string name;
        base::Lsn lsn;
        base::Timestamp time;
    };
    std::vector<RestorePoint> restore_points;
    struct Tablespace {
        std::uint32_t oid = 0;
        std::string path;
        base::Lsn lsn;
    };
    std::vector<Tablespace> tablespaces;
    bool switched = false;
    std::string doubt;
    std::string head;      ///< The segment's first bytes of a record that began in the one before, if they end it and are few.
    std::string tail;      ///< Of a record cut by the segment's end: its bytes here, when what it says lies in the next segment.
    base::Lsn cut_record;  ///< Where that record begins; zero without a tail.
};
std::string encode_wal_trailer(const WalTrailer& trailer);
WalTrailer decode_wal_trailer(std::string_view document, const std::string& name);

}  // namespace howdah::repository
