#include "preflight/replication.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "preflight/looker.hpp"
#include "preflight/text.hpp"

namespace howdah::preflight {

namespace {

base::Duration seconds(double value) { return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(value)); }
base::Bytes not_negative(std::int64_t value) { return {static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0))}; }

constexpr const char* kWalEnd =
    "CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END";

Severity by_lag(base::Duration lag, const Thresholds& thresholds) {
    if (lag > thresholds.long_replica_lag) return Severity::critical;
    return lag > thresholds.replica_lag ? Severity::warning : Severity::ok;
}

Findings replicas(Looker& looker) {
    std::vector<Replica> found;
    // Base backups that other programs take are walsenders too, but no replicas.
    const auto rows = looker.session().query(fmt::format(
        "SELECT application_name || coalesce(' at ' || host(client_addr), ''), coalesce(state, 'hidden'), extract(epoch FROM replay_lag),"
        " pg_wal_lsn_diff({}, replay_lsn)::bigint FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup' ORDER BY 1",
        kWalEnd));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Replica replica{std::string(rows.text(row, 0)), std::string(rows.text(row, 1)), {}, {}};
        if (!rows.is_null(row, 2)) replica.lag = seconds(rows.real(row, 2));
        if (!rows.is_null(row, 3)) replica.behind = not_negative(rows.integer(row, 3));
        found.push_back(std::move(replica));
    }
    return judge_replicas(found, looker.thresholds());
}

Findings slots(Looker& looker) {
    std::vector<Slot> found;
    const char* since = looker.session().major() >= 17 ? "coalesce(to_char(inactive_since, 'YYYY-MM-DD HH24:MI:SS\"Z\"'), '')" : "''";
    const auto rows = looker.session().query(fmt::format(
        "SELECT slot_name, slot_type, active, coalesce(wal_status, ''), coalesce(pg_wal_lsn_diff({}, restart_lsn), 0)::bigint, {}"
        " FROM pg_replication_slots WHERE NOT temporary ORDER BY slot_name",
        kWalEnd, since));
    for (std::size_t row = 0; row < rows.size(); ++row)
        found.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1)), rows.boolean(row, 2),
                         std::string(rows.text(row, 3)), not_negative(rows.integer(row, 4)), std::string(rows.text(row, 5))});
    return judge_slots(found, looker.setting("max_slot_wal_keep_size").value_or("-1") == "-1");
}

Findings standby(Looker& looker) {
    if (looker.session().value("SELECT pg_is_in_recovery()") == "f") return {};
    const auto rows = looker.session().query(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_wal_receiver), coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::bigint,"
        " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())");
    StandbyFacts facts;
    facts.receiving = rows.boolean(0, 0);
    facts.behind = not_negative(rows.integer(0, 1));
    if (!rows.is_null(0, 2)) facts.since_replay = seconds(rows.real(0, 2));
    return {judge_standby(facts, looker.thresholds())};
}

Finding judge_slot(const Slot& slot, bool unbounded) {
    const auto check = "slot_" + slot.name;
    auto value = fmt::format("{}, {}, holds {} of WAL{}", slot.type, slot.active ? "in use" : "not in use", base::text(slot.retained),
                             slot.inactive_since.empty() ? "" : fmt::format(", left at {}", slot.inactive_since));
    const auto drop = fmt::format("reconnect its replica or subscriber, or: SELECT pg_drop_replication_slot('{}')", slot.name);
    if (slot.wal_status == "lost")
        return {check, Severity::critical, value, "the WAL it needs is gone: its replica can never follow again", drop};
    if (slot.wal_status == "unreserved")
        return {check, Severity::critical, value, "it is about to lose the WAL it needs",
                "let its replica catch up, or raise max_slot_wal_keep_size"};
    if (!slot.active)
        return {check, Severity::warning, value,
                unbounded ? "a slot that nobody reads keeps all WAL until the disk is full"
                          : "a slot that nobody reads keeps WAL and old row versions",
                drop};
    return {check, Severity::ok, value, "its reader follows", {}};
}

}  // namespace

Findings judge_replicas(const std::vector<Replica>& replicas, const Thresholds& thresholds) {
    if (replicas.empty()) return {{"replicas", Severity::ok, "none", "no replica is connected", {}}};
    Findings findings;
    for (const auto& replica : replicas) {
        const auto lag = replica.lag.value_or(base::Duration{});
        const auto value = fmt::format("{}, {} behind{}", replica.state, replica.lag ? base::text_duration(lag) : "0 s",
                                       replica.behind ? fmt::format(" ({})", base::text(*replica.behind)) : "");
        const auto check = "replica_" + replica.name;
        if (const auto severity = by_lag(lag, thresholds); severity != Severity::ok)
            findings.push_back({check, severity, value,
                                fmt::format("its replay lags by more than {}", base::text_duration(thresholds.replica_lag)),
                                "look at its load, its disks, the network between, and conflicts with its queries"});
        else if (replica.state != "streaming")
            findings.push_back({check, Severity::warning, value, "it does not stream yet",
                                "wait until it has caught up; look into its log if it does not"});
        else
            findings.push_back({check, Severity::ok, value, "it follows", {}});
    }
    return findings;
}

Findings judge_slots(const std::vector<Slot>& slots, bool unbounded) {
    if (slots.empty()) return {{"slots", Severity::ok, "none", "no slot holds WAL back", {}}};
    Findings findings;
    for (const auto& slot : slots) findings.push_back(judge_slot(slot, unbounded));
    if (unbounded)
        findings.push_back({"max_slot_wal_keep_size", Severity::notice, "-1 (no limit)", "a slot may hold WAL until the disk is full",
                            "set max_slot_wal_keep_size to what the WAL disk can spare"});
    return findings;
}

Finding judge_standby(const StandbyFacts& facts, const Thresholds& thresholds) {
    if (!facts.receiving)
        return {"standby", Severity::warning, "not connected to its primary", "it follows by archived WAL only, or not at all",
                "look into its log; check primary_conninfo and the primary's pg_hba.conf"};
    if (facts.behind.count == 0) return {"standby", Severity::ok, "all received WAL is replayed", "it follows its primary", {}};
    const auto behind = base::text(facts.behind) + " not replayed yet";
    if (!facts.since_replay)
        return {"standby", Severity::notice, behind, "how old its data are is not known before its first replayed commit",
                "check again in a minute"};
    const auto value = fmt::format("{}, its data are {} old", behind, base::text_duration(*facts.since_replay));
    if (const auto severity = by_lag(*facts.since_replay, thresholds); severity != Severity::ok)
        return {"standby", severity, value, "it lags behind its primary", "look at its load, its disks and conflicts with its queries"};
    return {"standby", Severity::ok, value, "it follows its primary", {}};
}

void look_at_replication(Looker& looker) {
    looker.look("replicas", [&] { return replicas(looker); });
    looker.look("slots", [&] { return slots(looker); });
    looker.look("standby", [&] { return standby(looker); });
}

}  // namespace howdah::preflight
