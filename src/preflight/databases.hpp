#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "postgres/session.hpp"

namespace howdah::preflight {

/// A table that autovacuum does not keep up with.
struct NeglectedTable {
    std::string name;  ///< "schema.table".
    std::int64_t dead = 0, live = 0;
    bool switched_off = false;  ///< Its own storage parameter says autovacuum_enabled = false.
};

/// What one database says about itself.
struct DatabaseFacts {
    std::string name;
    std::optional<std::string> statements_version;  ///< Of the installed pg_stat_statements.
    std::vector<NeglectedTable> neglected;          ///< Most dead rows first, at most 20.
    std::int64_t unlogged_tables = 0;
    base::Bytes unlogged_size;  ///< As of the last vacuum or analyse: asking for the size now could wait for a lock.
};

/// Tables are neglected with at least `dead_rows` dead rows, these being more than a fifth of the live ones, and no vacuum within a day.
DatabaseFacts ask_database(postgres::Session& session, const std::string& name, std::int64_t dead_rows);

}  // namespace howdah::preflight
