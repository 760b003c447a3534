#include "sample/marketplace.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"

namespace howdah::sample {

void drop(postgres::Session& session) {
    session.script("SET client_min_messages = warning; DROP SCHEMA IF EXISTS marketplace_generator CASCADE;");
    session.script("DROP SCHEMA IF EXISTS marketplace CASCADE; RESET client_min_messages;");
}

bool loaded(postgres::Session& session) {
    return session.value("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname IN ('marketplace', 'marketplace_generator')") != "0";
}

std::vector<std::string> tables(postgres::Session& session, bool with_unlogged) {
    const auto rows = session.query(
        "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'marketplace' AND c.relkind = 'r' AND (c.relpersistence = 'p' OR $1) ORDER BY c.relname COLLATE \"C\"",
        {with_unlogged ? "true" : "false"});
    std::vector<std::string> names;
    for (std::size_t row = 0; row < rows.size(); ++row) names.emplace_back(rows.text(row, 0));
    return names;
}

std::map<std::string, TableSum> checksums(postgres::Session& session, const std::vector<std::string>& names) {
    session.script(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO';"
        "SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'");
    std::map<std::string, TableSum> sums;
    for (const auto& name : names) {
        const auto rows = session.query(fmt::format(
            "SELECT count(*), coalesce(sum(pg_catalog.hashtextextended(t::text COLLATE \"C\", 0)::numeric), 0) FROM ONLY marketplace.{} t",
            session.quote_identifier(name)));
        sums[name] = {rows.integer(0, 0), std::string(rows.text(0, 1))};
    }
    session.script("COMMIT");
    return sums;
}

}  // namespace howdah::sample
