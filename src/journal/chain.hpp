#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/database.hpp"

namespace howdah::journal {

/// One row of the chain. Times are microseconds since 1970, UTC; an end of 0 means none.
struct Row {
    std::uint64_t number = 0;
    std::string kind;              ///< "start", "end" of an operation, or "sum" of an hour.
    std::uint64_t started_by = 0;  ///< For an end: the start's number, 0 when the start could not be written.
    std::int64_t start_time = 0;
    std::int64_t end_time = 0;
    std::string operation, cluster, repository, outcome, user, host;
    std::string process;  ///< "boot id:pid:start ticks": whether an operation without an end still runs.
    std::string message, figures;
    std::string hash;  ///< 64 lower-case hex digits.
};

/// Hash of the row before the first.
inline const std::string kFirstHash(64, '0');

/// SHA-256 in hex over netstrings ("length:bytes,") of: "howdah-journal-1", the previous row's hash in hex, then number, kind,
/// started_by, start_time, end_time, operation, cluster, repository, outcome, user, host, process, message, figures; numbers in decimal.
std::string hash_of(const Row& row, std::string_view previous);

/// The newest row as the `head` table remembers it.
struct Head {
    std::uint64_t number = 0;
    std::string hash = kFirstHash;
};
std::optional<Head> read_head(Database& database);

/// Appends inside the caller's transaction: gives the row its number and hash and moves the head.
Head append_row(Database& database, Row& row);

/// The columns of `entry` in the order of Row, for SELECTs read by read_row.
std::string row_columns(std::string_view alias);
Row read_row(const Statement& statement, int first_column = 0);

/// Walks the whole chain and compares it with the head in the database and the one remembered beside it. One sentence a problem.
std::vector<std::string> verify_chain(Database& database, const std::optional<Head>& remembered);

}  // namespace howdah::journal
