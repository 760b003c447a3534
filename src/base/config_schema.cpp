#include "base/config_schema.hpp"

#include <fmt/core.h>

#include <array>

#include "base/log.hpp"

namespace howdah::base::schema {

namespace {

namespace fs = std::filesystem;

/// The member of a section, or of the named entry of one, as a field.
template <auto Section, auto Member>
auto& member_of_named(Config& config, Name name) {
    auto& entry = (config.*Section)[name];
    entry.name = name;
    return entry.*Member;
}
template <auto Member>
constexpr auto kOfCluster = &member_of_named<&Config::clusters, Member>;
template <auto Member>
constexpr auto kOfRepository = &member_of_named<&Config::repositories, Member>;

Objection no_password(const std::string& value) {
    if (redact(value) == value) return {};
    return {"a password in a file", "use a passfile (~/.pgpass) or a service file, or set it in the environment"};
}

Objection no_passphrase(const std::string&) {
    return {"a passphrase in this file", "use passphrase_file, or HOWDAH_REPOSITORY_NAME_PASSPHRASE in the environment"};
}

Objection file_url(const std::string& value) {
    constexpr std::string_view kScheme = "file://";
    constexpr const char* kHint = "write file:///absolute/path";
    const auto colon = value.find("://");
    if (colon == std::string::npos) return {fmt::format("not a URL: \"{}\"", value), kHint};
    if (!value.starts_with(kScheme)) return {fmt::format("a store this version does not know: {}://", value.substr(0, colon)), kHint};
    if (value.size() <= kScheme.size() + 1 || value[kScheme.size()] != '/')
        return {fmt::format("not an absolute path: \"{}\"", value), kHint};
    return {};
}

Objection log_level_name(const std::string& value) {
    if (value == "debug" || value == "info" || value == "warning" || value == "error") return {};
    return {fmt::format("not a level: \"{}\"", value), "use debug, info, warning or error"};
}

Objection log_format_name(const std::string& value) {
    if (value == "text" || value == "json") return {};
    return {fmt::format("not a format: \"{}\"", value), "use text or json"};
}

constexpr auto kSettings = std::to_array<Setting>({
    {.section = "cluster",
     .key = "conninfo",
     .field = kOfCluster<&ClusterConfig::conninfo>,
     .meaning = "How to reach the server, by libpq's own rules; a password belongs in a passfile.",
     .initial = "\"host=/var/run/postgresql user=postgres\"",
     .check_in_file = no_password},
    {.section = "cluster",
     .key = "data_directory",
     .field = kOfCluster<&ClusterConfig::data_directory>,
     .meaning = "The server's data directory; without it the server is asked.",
     .initial = "\"/var/lib/postgresql/15/main\""},
    {.section = "cluster",
     .key = "program_directory",
     .field = kOfCluster<&ClusterConfig::program_directory>,
     .meaning = "Where pg_ctl and its like are; without it they are found by version."},
    {.section = "repository",
     .key = "url",
     .field = kOfRepository<&RepositoryConfig::url>,
     .meaning = "Where backups and WAL are kept.",
     .initial = "\"file:///var/lib/howdah/repository\"",
     .check = file_url},
    {.section = "repository",
     .key = "key_file",
     .field = kOfRepository<&RepositoryConfig::key_file>,
     .meaning = "The key of the repository, made by `howdah repo init`. Keep a copy elsewhere: without it no backup can be read.",
     .initial = "\"/etc/howdah/repository.key\""},
    {.section = "repository",
     .key = "passphrase_file",
     .field = kOfRepository<&RepositoryConfig::passphrase_file>,
     .meaning = "A file with the passphrase, instead of a key file."},
    {.section = "repository",
     .key = "passphrase",
     .field = kOfRepository<&RepositoryConfig::passphrase>,
     .meaning = "The passphrase, from the environment only.",
     .check_in_file = no_passphrase},
    {.section = "state",
     .key = "directory",
     .field = +[](Config& c, Name) -> fs::path& { return c.state.directory; },
     .meaning = "The journal and caches; where this is not writable, the user's own state folder is used.",
     .initial = "\"/var/lib/howdah\""},
    {.section = "backup",
     .key = "jobs",
     .field = +[](Config& c, Name) -> unsigned& { return c.backup.jobs; },
     .meaning = "Workers of a backup; 0 is the number of usable cores.",
     .most = 256},
    {.section = "backup",
     .key = "compression_level",
     .field = +[](Config& c, Name) -> int& { return c.backup.compression_level; },
     .meaning = "The level of zstd.",
     .least = 1,
     .most = 19},
    {.section = "backup",
     .key = "checkpoint_spread",
     .field = +[](Config& c, Name) -> bool& { return c.backup.checkpoint_spread; },
     .meaning = "Whether a backup starts with a spread checkpoint instead of a fast one."},
    {.section = "backup",
     .key = "audit_percent",
     .field = +[](Config& c, Name) -> unsigned& { return c.backup.audit_percent; },
     .meaning = "Share of the unchanged blocks that an incremental backup reads and compares nevertheless, in percent.",
     .most = 100},
    {.section = "wal",
     .key = "push_ahead",
     .field = +[](Config& c, Name) -> unsigned& { return c.wal.push_ahead; },
     .meaning = "Ready segments that one push takes along beyond the named one.",
     .most = 1024},
    {.section = "wal",
     .key = "fetch_ahead",
     .field = +[](Config& c, Name) -> unsigned& { return c.wal.fetch_ahead; },
     .meaning = "Segments fetched in advance during recovery.",
     .most = 1024},
    {.section = "wal",
     .key = "fetch_wait",
     .field = +[](Config& c, Name) -> Duration& { return c.wal.fetch_wait; },
     .meaning = "How long a fetch goes on trying through an outage."},
    {.section = "wal",
     .key = "repositories",
     .field = +[](Config& c, Name) -> std::vector<std::string>& { return c.wal.repositories; },
     .meaning = "The repositories that WAL goes to, in the order in which they are asked for it; without it all that are configured."},
    {.section = "wal",
     .key = "required",
     .field = +[](Config& c, Name) -> std::vector<std::string>& { return c.wal.required; },
     .meaning = "Those of them that must have a segment before it counts as archived; without it any one of them."},
    {.section = "wal",
     .key = "backlog_limit",
     .field = +[](Config& c, Name) -> std::optional<Duration>& { return c.wal.backlog_limit; },
     .meaning = "How long a repository that is not required may lack a segment before archiving fails as if it were."},
    {.section = "objective",
     .key = "rpo",
     .field = +[](Config& c, Name) -> Duration& { return c.objective.rpo; },
     .meaning = "How much time's work may be lost."},
    {.section = "objective",
     .key = "rto",
     .field = +[](Config& c, Name) -> Duration& { return c.objective.rto; },
     .meaning = "How long a restore may take."},
    {.section = "objective",
     .key = "backup_age",
     .field = +[](Config& c, Name) -> Duration& { return c.objective.backup_age; },
     .meaning = "How old the newest backup may be."},
    {.section = "log",
     .key = "level",
     .field = +[](Config& c, Name) -> std::string& { return c.log.level; },
     .meaning = "debug, info, warning or error.",
     .check = log_level_name},
    {.section = "log",
     .key = "format",
     .field = +[](Config& c, Name) -> std::string& { return c.log.format; },
     .meaning = "text or json.",
     .check = log_format_name},
});

}  // namespace

std::span<const Setting> settings() { return kSettings; }

bool is_named(std::string_view section) { return section == "cluster" || section == "repository"; }

Objection check_name(const std::string& name) {
    constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    constexpr std::size_t kLongest = 63;
    if (!name.empty() && name.size() <= kLongest && name.find_first_not_of(kAllowed) == std::string::npos) return {};
    return {fmt::format("not a name: \"{}\"", name), "use 1 to 63 letters, digits, '_' and '-'"};
}

}  // namespace howdah::base::schema
