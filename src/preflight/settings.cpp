#include "preflight/settings.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"
#include "preflight/looker.hpp"
#include "preflight/text.hpp"

namespace howdah::preflight {

namespace {

std::string required_setting(Looker& looker, const std::string& name) {
    if (auto value = looker.setting(name)) return *value;
    throw base::Failure(base::FailureKind::operation, fmt::format("setting {} is hidden from this role", name),
                        "GRANT pg_monitor to the role");
}

Findings checksums(Looker& looker) {
    std::vector<ChecksumFailures> failures;
    const auto rows = looker.session().query(
        "SELECT coalesce(datname, 'shared relations'), checksum_failures, to_char(checksum_last_failure, 'YYYY-MM-DD HH24:MI:SS\"Z\"')"
        " FROM pg_stat_database WHERE checksum_failures > 0 ORDER BY 1");
    for (std::size_t row = 0; row < rows.size(); ++row)
        failures.push_back({std::string(rows.text(row, 0)), rows.integer(row, 1), std::string(rows.text(row, 2))});
    return judge_checksums(required_setting(looker, "data_checksums") == "on", failures);
}

Findings statements(Looker& looker) {
    StatementsFacts facts;
    const auto preloaded = required_setting(looker, "shared_preload_libraries");
    facts.preloaded = preloaded.find("pg_stat_statements") != std::string::npos;
    const auto rows = looker.session().query("SELECT default_version FROM pg_available_extensions WHERE name = 'pg_stat_statements'");
    if (rows.size() == 1) facts.available = rows.text(0, 0);
    for (const auto& database : looker.databases())
        if (database.statements_version) facts.installed_in.push_back(database.name);
    return {judge_statements(facts)};
}

Findings pending_restart(Looker& looker) {
    std::vector<std::string> names;
    const auto rows = looker.session().query("SELECT name FROM pg_settings WHERE pending_restart ORDER BY name");
    for (std::size_t row = 0; row < rows.size(); ++row) names.emplace_back(rows.text(row, 0));
    return {judge_pending_restart(names)};
}

}  // namespace

Finding judge_wal_level(const std::string& level) {
    if (level == "minimal")
        return {"wal_level", Severity::critical, level, "the WAL lacks what backups and archiving need",
                "ALTER SYSTEM SET wal_level = 'replica', then restart the server"};
    return {"wal_level", Severity::ok, level, "enough for backups and archiving", {}};
}

Finding judge_durability(const std::string& setting, bool on) {
    if (on) return {setting, Severity::ok, "on", "a crash leaves the data whole", {}};
    return {setting, Severity::critical, "off", "a crash can damage the data, and every later backup holds the damage",
            fmt::format("ALTER SYSTEM SET {} = on, then reload the server", setting)};
}

Findings judge_checksums(bool enabled, const std::vector<ChecksumFailures>& failures) {
    Findings findings;
    if (enabled)
        findings.push_back({"data_checksums", Severity::ok, "on", "a damaged page shows when it is read or backed up", {}});
    else
        findings.push_back({"data_checksums", Severity::warning, "off", "damage to a page on disk goes unnoticed, into the backups too",
                            "stop the server in a maintenance window and run: pg_checksums --enable -D DATA_DIRECTORY"});
    for (const auto& failure : failures)
        findings.push_back(
            {"checksum_failures", Severity::critical,
             fmt::format("{} in {}, the last at {}", failure.count, failure.database, failure.last),
             "pages with wrong checksums were read: the storage or its memory is failing",
             "find the pages in the server's log, restore the last good backup elsewhere, and replace the hardware; keep older backups"});
    if (failures.empty() && enabled)
        findings.push_back({"checksum_failures", Severity::ok, "none", "no page with a wrong checksum was read", {}});
    return findings;
}

Finding judge_statements(const StatementsFacts& facts) {
    if (!facts.installed_in.empty() && facts.preloaded)
        return {"pg_stat_statements",
                Severity::ok,
                "installed in " + text::join(facts.installed_in),
                "statements and their cost are recorded",
                {}};
    if (!facts.available)
        return {"pg_stat_statements", Severity::notice, "not available on this host", "statements and their cost are not recorded",
                "install PostgreSQL's contrib package of this version"};
    if (!facts.preloaded)
        return {"pg_stat_statements", Severity::notice, fmt::format("version {} available, not preloaded", *facts.available),
                "statements and their cost are not recorded",
                "add pg_stat_statements to shared_preload_libraries, restart the server, then CREATE EXTENSION pg_stat_statements"};
    return {"pg_stat_statements", Severity::notice, fmt::format("version {} available and preloaded, not installed", *facts.available),
            "what it records cannot be read", "CREATE EXTENSION pg_stat_statements in the database that is to be looked at"};
}

Finding judge_pending_restart(const std::vector<std::string>& names) {
    if (names.empty()) return {"pending_restart", Severity::ok, "none", "every configured setting is in force", {}};
    return {"pending_restart", Severity::notice, text::join(names), "the configuration says something else than what is in force",
            "restart the server at a quiet moment"};
}

Finding judge_unlogged(const std::vector<DatabaseFacts>& databases) {
    std::vector<std::string> where;
    for (const auto& database : databases)
        if (database.unlogged_tables > 0)
            where.push_back(fmt::format("{} in {} ({})", database.unlogged_tables, database.name, base::text(database.unlogged_size)));
    if (where.empty()) return {"unlogged_tables", Severity::ok, "none", "every table's changes are in the WAL", {}};
    return {"unlogged_tables", Severity::notice, text::join(where), "a restore leaves these tables empty, and so does a crash",
            "keep only in them what can be made anew; otherwise ALTER TABLE ... SET LOGGED"};
}

void look_at_settings(Looker& looker) {
    looker.look("wal_level", [&] { return Findings{judge_wal_level(required_setting(looker, "wal_level"))}; });
    for (const char* name : {"full_page_writes", "fsync"})
        looker.look(name, [&] { return Findings{judge_durability(name, required_setting(looker, name) == "on")}; });
    looker.look("data_checksums", [&] { return checksums(looker); });
    looker.look("pending_restart", [&] { return pending_restart(looker); });
    looker.look("pg_stat_statements", [&] { return statements(looker); });
    looker.look("unlogged_tables", [&] { return Findings{judge_unlogged(looker.databases())}; });
}

}  // namespace howdah::preflight
