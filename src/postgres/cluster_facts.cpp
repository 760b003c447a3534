#include "postgres/cluster_facts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/failure.hpp"

namespace howdah::postgres {

namespace {

using base::Failure;
using base::FailureKind;

constexpr int kOldestMajor = 14;
constexpr int kRenamedBackupFunctions = 15;

/// What the backup functions of a major version are called.
struct BackupFunctions {
    const char* start_signature;
    const char* stop_signature;
    const char* start;
    const char* stop;
};

const BackupFunctions& backup_functions(const Session& session) {
    static constexpr BackupFunctions kBefore15{"pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)",
                                               "SELECT pg_start_backup($1, $2::boolean, false)",
                                               "SELECT lsn, labelfile, spcmapfile FROM pg_stop_backup(false, false)"};
    static constexpr BackupFunctions kFrom15{"pg_backup_start(text, boolean)", "pg_backup_stop(boolean)",
                                             "SELECT pg_backup_start($1, $2::boolean)",
                                             "SELECT lsn, labelfile, spcmapfile FROM pg_backup_stop(false)"};
    return session.major() < kRenamedBackupFunctions ? kBefore15 : kFrom15;
}

[[noreturn]] void unreadable(const char* what, std::string_view text) {
    throw Failure(FailureKind::operation, fmt::format("reading {} from the server: \"{}\"", what, text));
}

base::Lsn read_lsn(std::string_view text) {
    if (const auto lsn = base::parse_lsn(text)) return *lsn;
    unreadable("an LSN", text);
}

base::Timestamp read_clock(Session& session) {
    // A statement of its own: now() would be the start of a transaction.
    const std::string text = session.value("SELECT clock_timestamp()");
    if (const auto time = base::parse_timestamp(text)) return *time;
    unreadable("the clock", text);
}

base::Timeline read_timeline(Session& session, bool in_recovery) {
    // pg_control tells a primary's timeline only from its next checkpoint on, and a standby has no WAL file of its own to name.
    if (!in_recovery) {
        const std::string name = session.value("SELECT pg_walfile_name(pg_current_wal_lsn())");
        std::uint32_t timeline = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + std::min<std::size_t>(name.size(), 8), timeline, 16);
        if (error != std::errc() || end != name.data() + 8) unreadable("the name of a WAL file", name);
        return {timeline};
    }
    const std::string text = session.value(
        "SELECT greatest(c.timeline_id, r.min_recovery_end_timeline) FROM pg_control_checkpoint() c, pg_control_recovery() r");
    std::uint32_t timeline = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), timeline).ec != std::errc()) unreadable("the timeline", text);
    return {timeline};
}

/// Hidden settings (data_directory and the like without pg_read_all_settings) have no row in pg_settings. While archiving is off the
/// view shows archive_command as "(disabled)"; its reset value is the real one.
constexpr const char* kSettingValue = "CASE setting WHEN '(disabled)' THEN reset_val ELSE setting END";

void read_settings(Session& session, ClusterFacts& facts) {
    const Rows rows = session.query(fmt::format(
        "SELECT name, {} FROM pg_settings WHERE name IN ('data_directory', 'config_file', 'hba_file', 'ident_file', 'wal_segment_size', "
        "'data_checksums', 'archive_mode', 'archive_command', 'archive_library', 'wal_level', 'full_page_writes')",
        kSettingValue));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string_view name = rows.text(row, 0);
        const std::string value(rows.text(row, 1));
        if (name == "data_directory")
            facts.data_directory = value;
        else if (name == "config_file")
            facts.config_file = value;
        else if (name == "hba_file")
            facts.hba_file = value;
        else if (name == "ident_file")
            facts.ident_file = value;
        else if (name == "wal_segment_size")
            facts.wal_segment_size = static_cast<std::uint64_t>(rows.integer(row, 1));
        else if (name == "data_checksums")
            facts.data_checksums = value == "on";
        else if (name == "archive_mode")
            facts.archive_mode = value;
        else if (name == "archive_command")
            facts.archive_command = value;
        else if (name == "archive_library")
            facts.archive_library = value;
        else if (name == "wal_level")
            facts.wal_level = value;
        else if (name == "full_page_writes")
            facts.full_page_writes = value == "on";
    }
}

}  // namespace

ClusterFacts read_cluster_facts(Session& session) {
    if (session.major() < kOldestMajor) {
        throw Failure(FailureKind::operation, fmt::format("reading the server's facts: it is PostgreSQL {}", session.major()),
                      "Howdah works with PostgreSQL 14 to 18; upgrade the server");
    }
    ClusterFacts facts;
    facts.version = session.version();
    const BackupFunctions& functions = backup_functions(session);
    const Rows rows = session.query(
        "SELECT s.system_identifier, pg_is_in_recovery(), r.rolsuper, has_function_privilege($1, 'EXECUTE') AND has_function_privilege($2, 'EXECUTE') "
        "FROM pg_control_system() s, pg_roles r WHERE r.rolname = current_user",
        {functions.start_signature, functions.stop_signature});
    if (rows.size() != 1) unreadable("its facts", fmt::format("{} rows", rows.size()));
    facts.system_identifier = {static_cast<std::uint64_t>(rows.integer(0, 0))};
    facts.in_recovery = rows.boolean(0, 1);
    facts.superuser = rows.boolean(0, 2);
    facts.may_backup = rows.boolean(0, 3);
    facts.timeline = read_timeline(session, facts.in_recovery);
    read_settings(session, facts);
    facts.now = read_clock(session);
    return facts;
}

std::vector<Tablespace> read_tablespaces(Session& session) {
    // 1663 and 1664 are pg_default and pg_global, which have no place of their own.
    const Rows rows =
        session.query("SELECT oid, spcname, pg_tablespace_location(oid) FROM pg_tablespace WHERE oid NOT IN (1663, 1664) ORDER BY oid");
    std::vector<Tablespace> tablespaces;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Tablespace tablespace{static_cast<std::uint32_t>(rows.integer(row, 0)), std::string(rows.text(row, 1)),
                              std::string(rows.text(row, 2))};
        tablespace.in_place = !tablespace.location.starts_with('/');
        tablespaces.push_back(std::move(tablespace));
    }
    return tablespaces;
}

std::optional<Setting> read_setting(Session& session, const std::string& name) {
    const Rows rows = session.query(
        fmt::format("SELECT name, {}, source, pending_restart FROM pg_settings WHERE lower(name) = lower($1)", kSettingValue), {name});
    if (rows.size() == 0) return std::nullopt;
    return Setting{std::string(rows.text(0, 0)), std::string(rows.text(0, 1)), std::string(rows.text(0, 2)), rows.boolean(0, 3)};
}

BackupStarted start_backup(Session& session, const std::string& label, bool fast) {
    // The session rests while files are copied, and its end would end the backup.
    session.query("SELECT set_config('idle_session_timeout', '0', false)");
    const bool in_recovery = session.value("SELECT pg_is_in_recovery()") == "t";
    BackupStarted started;
    started.time = read_clock(session);
    started.start = read_lsn(session.value(backup_functions(session).start, {label, fast ? "true" : "false"}));
    started.timeline = read_timeline(session, in_recovery);
    return started;
}

BackupStopped stop_backup(Session& session) {
    const Rows rows = session.query(backup_functions(session).stop);
    if (rows.size() != 1) unreadable("the end of a backup", fmt::format("{} rows", rows.size()));
    BackupStopped stopped;
    stopped.stop = read_lsn(rows.text(0, 0));
    stopped.backup_label = rows.text(0, 1);
    stopped.tablespace_map = rows.text(0, 2);
    stopped.time = read_clock(session);
    return stopped;
}

}  // namespace howdah::postgres
