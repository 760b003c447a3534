#include "drill/accident.hpp"

#include "drill/truth.hpp"

namespace howdah::drill {

namespace {

/// Drops a table that others use: a writer that comes the other way round through the foreign keys may win the deadlock.
void drop_while_used(postgres::Session& session, const std::string& table) {
    constexpr int kTries = 20;
    constexpr const char* kDeadlock = "40P01";
    for (int attempt = 1;; ++attempt) {
        try {
            session.query("DROP TABLE " + table + " CASCADE");
            return;
        } catch (const postgres::ServerFailure& failure) {
            if (failure.sqlstate() != kDeadlock || attempt == kTries) throw;
        }
    }
}

}  // namespace

Accident cause_accident(postgres::Session& session) {
    const auto victims = session.query(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relpersistence = 'p'"
        " AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid) ORDER BY pg_relation_size(c.oid) DESC, c.relname LIMIT 2",
        {std::string(sample::kSchema)});
    const auto name = [&](std::size_t row) {
        return session.quote_identifier(sample::kSchema) + "." + session.quote_identifier(victims.text(row, 0));
    };
    Accident accident;
    accident.emptied_table = victims.text(0, 0);
    accident.dropped_table = victims.text(1, 0);
    accident.rows_deleted = session.query("DELETE FROM " + name(0)).affected();
    drop_while_used(session, name(1));
    accident.at = server_time(session);
    return accident;
}

}  // namespace howdah::drill
