#include "preflight/vacuum.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "preflight/looker.hpp"
#include "preflight/text.hpp"

namespace howdah::preflight {

namespace {

Findings autovacuum(Looker& looker) {
    const auto rows = looker.session().query(
        "SELECT current_setting('autovacuum')::boolean, current_setting('track_counts')::boolean, pg_is_in_recovery(),"
        " pg_has_role('pg_read_all_stats', 'USAGE'), count(*) FILTER (WHERE backend_type = 'autovacuum launcher') > 0,"
        " count(*) FILTER (WHERE backend_type = 'autovacuum worker') FROM pg_stat_activity");
    AutovacuumFacts facts;
    facts.on = rows.boolean(0, 0);
    facts.track_counts = rows.boolean(0, 1);
    facts.in_recovery = rows.boolean(0, 2);
    facts.launcher_visible = rows.boolean(0, 3);
    facts.launcher_seen = rows.boolean(0, 4);
    facts.workers = rows.integer(0, 5);
    return {judge_autovacuum(facts)};
}

Findings ages(Looker& looker) {
    std::vector<DatabaseAge> found;
    const auto rows = looker.session().query("SELECT datname, age(datfrozenxid), mxid_age(datminmxid) FROM pg_database");
    for (std::size_t row = 0; row < rows.size(); ++row)
        found.push_back({std::string(rows.text(row, 0)), rows.integer(row, 1), rows.integer(row, 2)});
    const auto limit = looker.setting("autovacuum_freeze_max_age").value_or("200000000");
    return {judge_ages(found, std::strtoll(limit.c_str(), nullptr, 10), looker.thresholds())};
}

std::string grouped(std::int64_t number) {
    auto digits = std::to_string(number);
    for (auto position = static_cast<std::ptrdiff_t>(digits.size()) - 3; position > 0; position -= 3)
        digits.insert(static_cast<std::size_t>(position), 1, ',');
    return digits;
}

}  // namespace

Finding judge_autovacuum(const AutovacuumFacts& facts) {
    if (!facts.on)
        return {"autovacuum", Severity::critical, "off", "dead rows pile up and transaction ids run out",
                "ALTER SYSTEM SET autovacuum = on, then reload the server"};
    if (!facts.track_counts)
        return {"autovacuum", Severity::critical, "on, but track_counts is off", "autovacuum does nothing without the counts",
                "ALTER SYSTEM SET track_counts = on, then reload the server"};
    if (facts.in_recovery) return {"autovacuum", Severity::ok, "on", "it runs on the primary of this standby", {}};
    if (!facts.launcher_visible)
        return could_not_look("autovacuum", "other processes are hidden from this role, autovacuum is on", "GRANT pg_monitor to the role");
    if (!facts.launcher_seen)
        return {"autovacuum", Severity::critical, "on, but its launcher is not running", "no table is vacuumed",
                "look into the server's log for why the autovacuum launcher does not start"};
    return {"autovacuum", Severity::ok, fmt::format("on, {} now", text::count(facts.workers, "worker")), "its launcher is alive", {}};
}

Finding judge_dead_rows(const std::vector<DatabaseFacts>& databases) {
    std::vector<std::string> words;
    bool switched_off = false;
    for (const auto& database : databases)
        for (const auto& table : database.neglected) {
            words.push_back(fmt::format("{} in {}: {} dead, {} live{}", table.name, database.name, grouped(table.dead), grouped(table.live),
                                        table.switched_off ? ", autovacuum off for it" : ""));
            switched_off = switched_off || table.switched_off;
        }
    if (words.empty()) return {"dead_rows", Severity::ok, "no table behind", "autovacuum keeps up", {}};
    return {"dead_rows", Severity::warning, text::join(words, 3), "autovacuum does not keep up with these tables",
            switched_off ? "ALTER TABLE ... RESET (autovacuum_enabled), then VACUUM (ANALYZE) the table"
                         : "VACUUM (ANALYZE) the tables, and look for long transactions, stale slots and too low a vacuum cost limit"};
}

Finding judge_ages(const std::vector<DatabaseAge>& ages, std::int64_t freeze_max_age, const Thresholds& thresholds) {
    const DatabaseAge* oldest = nullptr;
    const auto age_of = [](const DatabaseAge& age) { return std::max(age.transactions, age.multixacts); };
    for (const auto& age : ages)
        if (!oldest || age_of(age) > age_of(*oldest)) oldest = &age;
    if (!oldest) return {"transaction_age", Severity::ok, "no database", "nothing to wrap around", {}};
    const auto age = age_of(*oldest);
    const auto value =
        fmt::format("{} {} in {}", grouped(age), oldest->multixacts > oldest->transactions ? "multixacts" : "transactions", oldest->name);
    const char* advice = "end what holds vacuum back (long or prepared transactions, stale slots), then VACUUM (FREEZE) the oldest tables";
    if (age > thresholds.very_old_xid)
        return {"transaction_age", Severity::critical, value, "writes stop when about 2,146,000,000 is reached", advice};
    if (age > std::max(thresholds.old_xid, freeze_max_age + freeze_max_age / 2))
        return {"transaction_age", Severity::warning, value, "freezing is far behind", advice};
    return {"transaction_age", Severity::ok, value, "far from wraparound", {}};
}

void look_at_vacuum(Looker& looker) {
    looker.look("autovacuum", [&] { return autovacuum(looker); });
    looker.look("dead_rows", [&] { return Findings{judge_dead_rows(looker.databases())}; });
    looker.look("transaction_age", [&] { return ages(looker); });
}

}  // namespace howdah::preflight
