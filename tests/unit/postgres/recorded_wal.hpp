#pragma once

#include <string>
#include <vector>

#include "postgres/wal_name.hpp"
#include "real_server.hpp"

namespace howdah::postgres::testing {

/// One record as the server's own reader prints it (pg_waldump, or pg_walinspect where the server comes without programs).
struct PrintedRecord {
    base::Lsn lsn;
    base::Lsn previous;
    std::uint32_t xid = 0;
    std::uint32_t length = 0;
    std::string manager;
    std::string text;  ///< "COMMIT 2026-11-21 01:02:03.456789 UTC; ...".
    std::size_t images = 0;
};

struct Segment {
    std::string name;
    WalSegment number;
    std::string bytes;
    std::vector<PrintedRecord> printed;  ///< Those that begin in it.
};

/// WAL of a real server after a workload with commits, aborts, savepoints, prepared transactions, an origin, restore points, tablespaces,
/// full-page images with and without compression, a record longer than three segments of 1 MiB, and switches.
struct RecordedWal {
    explicit RecordedWal(unsigned segment_mib);
    /// Whether the server has a reader of its own to compare with: 14 without programs has none.
    bool printed = false;
    std::uint64_t segment_size;
    std::vector<Segment> segments;  ///< Complete ones, in order.
    std::string tablespace_path;
    std::string tablespace_oid;
    RealServer server;  ///< Still running.
};

/// Recorded once for the process and size; gone at its end.
const RecordedWal& recorded_wal(unsigned segment_mib);

}  // namespace howdah::postgres::testing
