#include "preflight/server.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/process.hpp"
#include "postgres/control_file.hpp"
#include "postgres/same_server.hpp"
#include "preflight/looker.hpp"

namespace howdah::preflight {

namespace {

constexpr int kOldestMajor = 14;
constexpr int kNewestMajor = 18;
/// Majors that `./run versions` runs the demo and the traps on.
constexpr std::array kProvenMajors{15, 17, 18};

std::string backup_grants(const RoleFacts& role) {
    const char* functions = role.server_major < 15 ? "pg_start_backup(text, boolean, boolean), pg_stop_backup(boolean, boolean)"
                                                   : "pg_backup_start(text, boolean), pg_backup_stop(boolean)";
    return fmt::format("GRANT EXECUTE ON FUNCTION {} TO \"{}\"", functions, role.name);
}

DataDirectoryFacts read_data_directory(Looker& looker) {
    DataDirectoryFacts facts;
    facts.path = looker.data_directory();
    facts.user = base::current_user().name;
    facts.of_server = looker.facts().system_identifier;
    std::error_code error;
    facts.exists = !facts.path.empty() && std::filesystem::exists(facts.path, error);
    if (facts.path.empty()) return facts;
    // A folder that we may not enter looks like one that does not exist; its own status tells them apart.
    if (error) facts.exists = true;
    if (!facts.exists) return facts;
    for (const char* name : {"", "global/pg_control", "base", "pg_wal"})
        if (::access((facts.path / name).c_str(), R_OK) != 0) {
            facts.unreadable = *name ? facts.path / name : facts.path;
            return facts;
        }
    for (const auto& tablespace : postgres::read_tablespaces(looker.session()))
        if (!tablespace.in_place && !tablespace.location.empty() && ::access(tablespace.location.c_str(), R_OK | X_OK) != 0) {
            facts.unreadable = tablespace.location;
            return facts;
        }
    facts.of_directory = postgres::read_control_file(facts.path).system_identifier;
    facts.of_another = postgres::why_not_running_on(looker.session(), facts.path);
    return facts;
}

RoleFacts read_role(Looker& looker) {
    RoleFacts role;
    const auto rows = looker.session().query(
        "SELECT current_user, pg_has_role('pg_monitor', 'USAGE'), has_function_privilege('pg_catalog.pg_switch_wal()', 'EXECUTE')");
    role.name = rows.text(0, 0);
    role.server_major = looker.session().major();
    role.may_monitor = rows.boolean(0, 1);
    role.may_switch = rows.boolean(0, 2);
    role.superuser = looker.facts().superuser;
    role.may_backup = looker.facts().may_backup;
    return role;
}

}  // namespace

Finding judge_version(int version, const std::string& text) {
    const int major = version / 10000;
    if (major < kOldestMajor)
        return {"version", Severity::critical, text, fmt::format("PostgreSQL {} is older than {} and is refused", major, kOldestMajor),
                fmt::format("upgrade the server to PostgreSQL {} or newer", kOldestMajor)};
    if (major > kNewestMajor)
        return {"version", Severity::critical, text,
                fmt::format("PostgreSQL {} is newer than this program knows ({})", major, kNewestMajor),
                "install a newer howdah; nothing was tried with this version's file formats"};
    if (std::find(kProvenMajors.begin(), kProvenMajors.end(), major) == kProvenMajors.end())
        return {"version", Severity::notice, text, "not proven on this version",
                "run a drill on a copy of this server before you rely on it"};
    return {"version", Severity::ok, text, "a version that backup and restore are proven on", {}};
}

Finding judge_role(const RoleFacts& role) {
    if (role.superuser) return {"rights", Severity::ok, role.name + ", superuser", "the role may do all that is needed", {}};
    if (!role.may_backup)
        return {"rights", Severity::critical, role.name + ", may not start a backup",
                "backups fail without EXECUTE on the backup functions", backup_grants(role)};
    if (!role.may_monitor)
        return {"rights", Severity::warning, role.name + ", not a member of pg_monitor",
                "settings and other sessions are hidden from this role", fmt::format("GRANT pg_monitor TO \"{}\"", role.name)};
    if (!role.may_switch)
        return {"rights", Severity::warning, role.name + ", may not switch WAL segments", "archiving cannot be proven without it",
                fmt::format("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO \"{}\"", role.name)};
    return {"rights", Severity::ok, role.name + ", backup and monitoring", "the role may do all that is needed", {}};
}

Finding judge_data_directory(const DataDirectoryFacts& facts) {
    const auto value = facts.path.empty() ? "unknown" : facts.path.string();
    if (facts.path.empty())
        return {"data_directory", Severity::warning, value, "it is neither configured nor may this role ask the server",
                "set data_directory in the cluster's section, or GRANT pg_monitor to the role"};
    if (!facts.exists)
        return {"data_directory", Severity::critical, value + " does not exist on this host", "a physical backup reads the server's files",
                "run howdah on the server's host, or correct data_directory in the cluster's section"};
    if (facts.unreadable)
        return {"data_directory", Severity::critical, fmt::format("{} is not readable by {}", facts.unreadable->string(), facts.user),
                "a physical backup reads the server's files",
                "run howdah as the data directory's owner, or as root, which becomes the owner"};
    if (facts.of_directory && *facts.of_directory != facts.of_server)
        return {
            "data_directory", Severity::critical,
            fmt::format("{} belongs to system {}, the server is {}", value, base::text(*facts.of_directory), base::text(facts.of_server)),
            "this is another cluster's data directory", "make conninfo and data_directory of the cluster's section name the same server"};
    if (facts.of_another)
        return {"data_directory", Severity::critical, fmt::format("{} is not the connected server's: {}", value, *facts.of_another),
                "a backup of one server's files with another's start cannot be recovered",
                "make conninfo and data_directory of the cluster's section name the same server, and run howdah on its host"};
    return {"data_directory", Severity::ok, value, "readable, and the server's own", {}};
}

void look_at_server(Looker& looker) {
    looker.look("version",
                [&] { return Findings{judge_version(looker.session().version(), looker.session().value("SHOW server_version"))}; });
    looker.look("rights", [&] { return Findings{judge_role(read_role(looker))}; });
    looker.look("data_directory", [&] { return Findings{judge_data_directory(read_data_directory(looker))}; });
}

}  // namespace howdah::preflight
