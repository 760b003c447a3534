#include "workload.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "base/cancellation.hpp"
#include "base/file.hpp"

namespace howdah::tests {

Workload::Workload(ProtectedServer& protectee, std::uint64_t seed) : protectee_(protectee), random_(seed) {}

void Workload::run(const std::string& database, const std::string& sql) {
    log_ += fmt::format("{}: {}\n", database, sql);
    protectee_.session(database).script(sql);
}

void Workload::run_each(const std::string& database, const std::vector<std::string>& statements) {
    auto session = protectee_.session(database);
    for (const auto& sql : statements) {
        log_ += fmt::format("{}: {}\n", database, sql);
        session.script(sql);
    }
}

void Workload::prepare(const std::string& away) {
    major_ = protectee_.session().major();
    run("postgres",
        "CREATE TABLE ballast(id int, filler text); ALTER TABLE ballast ALTER filler SET STORAGE EXTERNAL;"
        "INSERT INTO ballast SELECT g, repeat(md5(g::text), 250) FROM generate_series(1, 7000) g");
    run("postgres", "VACUUM FREEZE ballast");
    run("postgres", "CREATE TABLESPACE away LOCATION '" + away + "'");
    spaces_.push_back("away");
    for (int i = 0; i < 3; ++i) make_table("postgres");
}

std::string Workload::some_space() { return spaces_[static_cast<std::size_t>(below(static_cast<int>(spaces_.size())))]; }

void Workload::make_table(const std::string& database) {
    const Table table{database, name("t")};
    const auto space = some_space();
    const bool unlogged = one_in(6);
    run(database,
        fmt::format("CREATE {} TABLE {}(id serial PRIMARY KEY, k int, list int[], place point, note text, big text) WITH (fillfactor = "
                    "{}) TABLESPACE {}; ALTER TABLE {} ALTER big SET STORAGE EXTERNAL",
                    unlogged ? "UNLOGGED" : "", table.name, one_in(2) ? 100 : 70, space, table.name));
    for (const char* index : {"btree(k)", "hash(k)", "gin(list)", "gist(place)", "spgist(place)", "brin(id) WITH (pages_per_range = 4)"})
        if (!one_in(3)) run(database, fmt::format("CREATE INDEX ON {} USING {}", table.name, index));
    tables_.push_back(table);
    fill(table, 300 + below(3000));
}

void Workload::fill(const Table& table, int rows) {
    run(table.database,
        fmt::format("INSERT INTO {}(k, list, place, note, big) SELECT g % {}, array[g % 50, g % 7], point(g % 100, g / 100),"
                    " repeat('n', g % 300), CASE WHEN g % 40 = 0 THEN repeat(md5(g::text), 90) END FROM generate_series(1, {}) g",
                    table.name, 3 + below(500), rows));
}

void Workload::rows_step(const Table& table) {
    const int divisor = 5 + below(60), rest = below(5);
    const auto where = fmt::format("WHERE id % {} = {}", divisor, rest);
    switch (below(10)) {
        case 0:
        case 1: return fill(table, 20 + below(800));
        case 2: return run(table.database, fmt::format("UPDATE {} SET note = 'changed' || id, k = k + 1 {}", table.name, where));
        case 3: return run(table.database, fmt::format("UPDATE {} SET note = upper(note) {}", table.name, where));
        case 4: return run(table.database, fmt::format("DELETE FROM {} {}", table.name, where));
        case 5:
            return run(table.database,
                       fmt::format("BEGIN; INSERT INTO {}(k, note) SELECT g, 'gone' FROM generate_series(1, 200) g; SAVEPOINT s;"
                                   "UPDATE {} SET k = 1 {}; ROLLBACK TO s; DELETE FROM {} {}; {}",
                                   table.name, table.name, where, table.name, where, one_in(2) ? "COMMIT" : "ROLLBACK"));
        case 6:
            return run(table.database,
                       fmt::format("INSERT INTO {}(id, k) SELECT g, 1 FROM generate_series(1, 60) g ON CONFLICT (id) DO UPDATE "
                                   "SET k = excluded.k + 1",
                                   table.name));
        case 7:
            return run(table.database,
                       fmt::format("BEGIN; SELECT * FROM {} {} FOR SHARE; SAVEPOINT s; SELECT * FROM {} {} FOR UPDATE; COMMIT", table.name,
                                   where, table.name, where));
        case 8:
            return run(table.database,
                       fmt::format("SELECT count(*) FROM {}; SET enable_seqscan = off; SELECT count(note) FROM {} WHERE k < 9;"
                                   "SELECT nextval('{}_id_seq') FROM generate_series(1, {})",
                                   table.name, table.name, table.name, 1 + below(40)));
        default: return run(table.database, fmt::format("UPDATE {} SET big = repeat(md5(id::text), 100) {}", table.name, where));
    }
}

void Workload::vacuum_step(const Table& table) {
    switch (below(6)) {
        case 0: return run(table.database, "VACUUM FREEZE " + table.name);
        case 1:  // The file is cut, and made longer again.
            run(table.database, fmt::format("DELETE FROM {} WHERE ctid >= '({}, 0)'", table.name, below(20)));
            run(table.database, "VACUUM " + table.name);
            return fill(table, 50 + below(2000));
        case 2:
            run(table.database, fmt::format("TRUNCATE {}{}", table.name, one_in(2) ? " RESTART IDENTITY" : ""));
            return fill(table, below(1500));
        case 3: return run(table.database, "VACUUM " + table.name);
        case 4: return run(table.database, "VACUUM (INDEX_CLEANUP ON, ANALYZE) " + table.name);
        default:
            // PostgreSQL 15 cannot start again when a crash follows this on an unlogged table: "could not create file: File exists".
            if (protectee_.session(table.database).value("SELECT relpersistence FROM pg_class WHERE relname = $1", {table.name}) == "u")
                return run(table.database, "VACUUM " + table.name);
            return run(table.database, "BEGIN; TRUNCATE " + table.name + "; ROLLBACK");
    }
}

void Workload::shape_step(const Table& table) {
    switch (below(8)) {
        case 0: return run(table.database, "REINDEX TABLE " + table.name);
        case 1: return run(table.database, "VACUUM FULL " + table.name);
        case 2: return run(table.database, fmt::format("CLUSTER {} USING {}_pkey", table.name, table.name));
        case 3: return run(table.database, fmt::format("ALTER TABLE {} SET TABLESPACE {}", table.name, some_space()));
        case 4: return run(table.database, fmt::format("ALTER TABLE {} SET {}", table.name, one_in(3) ? "UNLOGGED" : "LOGGED"));
        case 5: return run(table.database, fmt::format("ALTER TABLE {} ALTER k TYPE {}", table.name, one_in(2) ? "bigint" : "int"));
        case 6: {
            const auto index = name("i");
            run(table.database, fmt::format("CREATE INDEX {} ON {}(note, k) TABLESPACE {}", index, table.name, some_space()));
            if (one_in(2)) run(table.database, "DROP INDEX " + index);
            return;
        }
        default: return run(table.database, "SELECT lo_from_bytea(0, convert_to(repeat('large', 3000), 'UTF8'))");
    }
}

void Workload::table_step() {
    const auto database = databases_[static_cast<std::size_t>(below(static_cast<int>(databases_.size())))];
    if (tables_.size() < 5) return make_table(database);
    const auto victim = tables_.begin() + below(static_cast<int>(tables_.size()));
    if (one_in(2))
        run(victim->database, "DROP TABLE " + victim->name);
    else
        run_each(victim->database, {"BEGIN; DROP TABLE " + victim->name + "; PREPARE TRANSACTION 'drop'", "COMMIT PREPARED 'drop'"});
    tables_.erase(victim);
}

void Workload::space_step() {
    if (major_ < 15) return run("postgres", "CHECKPOINT");
    if (spaces_.size() < 4) {
        const auto space = name("space");
        run("postgres", fmt::format("CREATE TABLESPACE {} LOCATION ''", space));
        spaces_.push_back(space);
        return;
    }
    // Emptied, and dropped.
    const auto space = spaces_.back();
    for (const auto& database : databases_)
        run(database, fmt::format("ALTER TABLE ALL IN TABLESPACE {} SET TABLESPACE pg_default;"
                                  "ALTER INDEX ALL IN TABLESPACE {} SET TABLESPACE pg_default",
                                  space, space));
    for (const auto& database : databases_)
        if (database != "postgres" && !moved(database, "pg_default")) return;
    run("postgres", "DROP TABLESPACE " + space);
    spaces_.pop_back();
}

std::string Workload::oid_of(const std::string& database) {
    return protectee_.session().value("SELECT oid FROM pg_database WHERE datname = $1", {database});
}

/// A database that has tables of its own where it shall go is refused.
bool Workload::moved(const std::string& database, const std::string& space) {
    try {
        run("postgres", fmt::format("ALTER DATABASE {} SET TABLESPACE {}", database, space));
        return true;
    } catch (const postgres::ServerFailure& refused) {
        if (refused.sqlstate() != "55000") throw;
        log_ += "refused\n";
        return false;
    }
}

void Workload::database_step() {
    if (databases_.size() < 3) {
        const auto made = name("d");
        const auto original = databases_.size() > 1 && one_in(2) ? databases_.back() : std::string("template1");
        const bool logged = major_ >= 15 && one_in(2);
        const auto strategy = logged ? "STRATEGY wal_log" : major_ >= 15 ? "STRATEGY file_copy" : "";
        run("postgres", fmt::format("CREATE DATABASE {} TEMPLATE {} {}", made, original, strategy));
        if (logged || without_maps_.contains(oid_of(original))) without_maps_.insert(oid_of(made));
        databases_.push_back(made);
        std::vector<Table> copies;
        for (const auto& table : tables_)
            if (table.database == original) copies.push_back({made, table.name});
        tables_.insert(tables_.end(), copies.begin(), copies.end());
        return;
    }
    const auto victim = databases_[1 + static_cast<std::size_t>(below(static_cast<int>(databases_.size()) - 1))];
    if (!one_in(3)) {
        // There and back again, or only there.
        if (!moved(victim, some_space())) return;
        if (one_in(2)) moved(victim, "pg_default");
        return;
    }
    run("postgres", fmt::format("DROP DATABASE {} WITH (FORCE)", victim));
    std::erase(databases_, victim);
    std::erase_if(tables_, [&](const Table& table) { return table.database == victim; });
}

void Workload::work(int steps, bool beside_a_backup) {
    for (int i = 0; i < steps; ++i) {
        if (tables_.empty()) make_table("postgres");
        const auto table = tables_[static_cast<std::size_t>(below(static_cast<int>(tables_.size())))];
        const int what = below(100);
        if (what < 55)
            rows_step(table);
        else if (what < 73)
            vacuum_step(table);
        else if (what < 83)
            shape_step(table);
        else if (what < 89)
            table_step();
        else if (what < 92)
            run("postgres", one_in(2) ? "CHECKPOINT" : "SELECT pg_switch_wal()");
        else if (beside_a_backup)
            rows_step(table);
        else if (what < 95)
            space_step();
        else
            database_step();
    }
}

void Workload::restart(const std::string& mode) {
    log_ += "restart: " + mode + "\n";
    protectee_.server().stop(mode);
    protectee_.server().start();
}

void Workload::crash() {
    auto session = protectee_.session();
    session.script(
        "BEGIN; INSERT INTO ballast SELECT g, 'under way' FROM generate_series(1, 500) g; DELETE FROM ballast WHERE id % 500 = 3");
    if (one_in(2)) protectee_.session().script("CHECKPOINT");
    restart("immediate");
}

void Workload::promote() {
    log_ += "promotion\n";
    auto& server = protectee_.server();
    server.stop();
    base::write_file_durably(server.data_directory() / "standby.signal", "", 0600);
    if (::geteuid() == 0 && ::chown((server.data_directory() / "standby.signal").c_str(), server.user().uid, server.user().gid) != 0)
        throw std::runtime_error("chown of standby.signal failed");
    server.start();
    protectee_.session().script("SELECT pg_promote()");
}

void Workload::minimal() {
    auto session = protectee_.session();
    for (const char* setting : {"wal_level = minimal", "archive_mode = off", "max_wal_senders = 0"})
        session.script(fmt::format("ALTER SYSTEM SET {}", setting));
    restart("fast");
    run("postgres", "BEGIN; CREATE TABLE unseen AS SELECT g, repeat('u', 200) FROM generate_series(1, 3000) g; COMMIT");
    auto again = protectee_.session();
    for (const char* setting : {"wal_level = replica", "archive_mode = on", "max_wal_senders = 10"})
        again.script(fmt::format("ALTER SYSTEM SET {}", setting));
    restart("fast");
    run("postgres", "UPDATE unseen SET repeat = 'seen' WHERE g % 9 = 0; DROP TABLE IF EXISTS seen; ALTER TABLE unseen RENAME TO seen");
}

}  // namespace howdah::tests
