#include "preflight/databases.hpp"

namespace howdah::preflight {

DatabaseFacts ask_database(postgres::Session& session, const std::string& name, std::int64_t dead_rows) {
    DatabaseFacts facts;
    facts.name = name;
    const auto extension = session.query("SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements'");
    if (extension.size() == 1) facts.statements_version = extension.text(0, 0);
    const auto tables = session.query(
        "SELECT s.schemaname || '.' || s.relname, s.n_dead_tup, s.n_live_tup,"
        " coalesce('autovacuum_enabled=false' = ANY (c.reloptions) OR 'autovacuum_enabled=off' = ANY (c.reloptions), false)"
        " FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
        " WHERE s.n_dead_tup >= $1::bigint AND s.n_dead_tup > s.n_live_tup / 5"
        " AND coalesce(greatest(s.last_vacuum, s.last_autovacuum) < now() - interval '1 day', true)"
        " ORDER BY s.n_dead_tup DESC LIMIT 20",
        {std::to_string(dead_rows)});
    for (std::size_t row = 0; row < tables.size(); ++row)
        facts.neglected.push_back(
            {std::string(tables.text(row, 0)), tables.integer(row, 1), tables.integer(row, 2), tables.boolean(row, 3)});
    const auto unlogged = session.query(
        "SELECT count(*), coalesce(sum(relpages::bigint), 0) * current_setting('block_size')::bigint"
        " FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'");
    facts.unlogged_tables = unlogged.integer(0, 0);
    facts.unlogged_size.count = static_cast<std::uint64_t>(unlogged.integer(0, 1));
    return facts;
}

}  // namespace howdah::preflight
