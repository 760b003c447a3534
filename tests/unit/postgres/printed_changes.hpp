#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "postgres/block_changes.hpp"
#include "postgres/wal_name.hpp"
#include "real_server.hpp"

namespace howdah::postgres::testing {

/// What PostgreSQL's own pg_waldump prints of the records that begin in one segment, block by block.
struct PrintedChanges {
    std::map<ForkKey, std::set<std::uint32_t>> blocks;
    std::map<ForkKey, std::uint32_t> limits;
    std::set<DatabaseKey> replaced;
    std::size_t records = 0;

    void add(const PrintedChanges& later);
    /// The same as a summary has it: without blocks at or above a limit, and without forks of a replaced database.
    PrintedChanges trimmed() const;
};

/// A summary in the same form.
PrintedChanges spelled_out(const BlockChanges& changes);

/// One line of pg_waldump.
void add_printed_line(const std::string& line, PrintedChanges& changes);

/// WAL of a server that did everything that changes relations in its own way: truncation by VACUUM and by TRUNCATE, creation and
/// dropping by commit, abort, savepoint and two-phase commit, databases made by both strategies, moved and dropped, indexes of all
/// kinds, rewrites and moves of tables.
struct ChangedWal {
    ChangedWal(unsigned segment_mib);

    struct Segment {
        WalSegment number;
        std::string bytes;
        PrintedChanges printed;
    };
    bool printed = false;  ///< Whether the server can print its WAL: 14 without programs cannot.
    std::uint64_t segment_size;
    RealServer server;  ///< Still running.
    std::vector<Segment> segments;
};
const ChangedWal& changed_wal(unsigned segment_mib);

}  // namespace howdah::postgres::testing
