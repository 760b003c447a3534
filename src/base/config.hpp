#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/failure.hpp"
#include "base/units.hpp"

namespace howdah::base {

/// [cluster.NAME]: one PostgreSQL server instance.
struct ClusterConfig {
    std::string name;
    std::string conninfo;                     ///< libpq's own rules; secrets belong in a passfile.
    std::filesystem::path data_directory;     ///< Empty: asked of the server (local connections only).
    std::filesystem::path program_directory;  ///< pg_ctl and friends; empty: found by version (/usr/lib/postgresql/N/bin, PATH).
};

/// [repository.NAME]: where backups and WAL live.
struct RepositoryConfig {
    std::string name;
    std::string url;                        ///< "file:///var/lib/howdah/repository".
    std::filesystem::path key_file;         ///< One base64 line of 32 random bytes.
    std::filesystem::path passphrase_file;  ///< Instead of a key file; HOWDAH_REPOSITORY_NAME_PASSPHRASE works too.
    std::optional<std::string> passphrase;  ///< From the environment only, never from the file or the command line.
};

/// Everything that can be configured, with its defaults.
struct Config {
    std::map<std::string, ClusterConfig> clusters;
    std::map<std::string, RepositoryConfig> repositories;

    struct {
        std::filesystem::path directory;  ///< As configured; what is in force says state_directory().
    } state;
    struct {
        unsigned jobs = 0;          ///< Workers; 0 is the number of usable cores.
        int compression_level = 1;  ///< zstd.
        bool checkpoint_spread = false;
        unsigned audit_percent = 0;  ///< Share of the unchanged blocks that an incremental reads and compares.
    } backup;
    struct {
        unsigned push_ahead = 16;                       ///< Ready segments pushed by one call beyond the named one.
        unsigned fetch_ahead = 8;                       ///< Segments fetched in advance during recovery.
        Duration fetch_wait = std::chrono::minutes(5);  ///< How long fetch retries through an outage before 126.
        std::vector<std::string> repositories;          ///< Where WAL goes, in the order in which it is asked for; empty: everywhere.
        std::vector<std::string> required;              ///< Those of them that must take a segment before a push succeeds.
        std::optional<Duration> backlog_limit;          ///< How long another may lack a segment before it counts as required.
    } wal;
    struct {
        Duration rpo = std::chrono::minutes(15);
        Duration rto = std::chrono::hours(1);
        Duration backup_age = std::chrono::hours(26);  ///< A daily backup and two hours to take it.
    } objective;
    struct {
        std::string level = "info";
        std::string format = "text";
    } log;

    std::vector<std::filesystem::path> files;    ///< Those read, in order.
    std::map<std::string, std::string> origins;  ///< "backup.jobs" to "FILE:LINE" or "environment NAME"; those not here are defaults.

    /// The named cluster, or the only one when the name is empty; Failure(configuration) naming what exists otherwise.
    const ClusterConfig& cluster(const std::string& name = {}) const;
    const RepositoryConfig& repository(const std::string& name = {}) const;
    /// Where WAL goes and is asked for, in order: the named repository alone; else those of wal.repositories; else all, by name.
    /// Failure(configuration) as repository() gives it when there is none.
    std::vector<RepositoryConfig> wal_repositories(const std::string& name = {}) const;
};

/// One thing wrong with the configuration.
struct ConfigProblem {
    std::filesystem::path file;  ///< Empty for the environment.
    unsigned line = 0;           ///< 0 where none can be told.
    std::string key;             ///< "cluster.main.conninf", or the variable's name.
    std::string what;            ///< "unknown key: conninf".
    std::string hint;            ///< "did you mean conninfo?"
    /// "FILE:LINE: KEY: what" and, if there is a hint, "\nHINT: hint".
    std::string text() const;
};

/// Reads `file` (empty: /etc/howdah/howdah.toml if it exists) and conf.d/*.toml beside it in order of name, then the environment; what
/// comes later overrides. Variables are HOWDAH_SECTION_KEY or HOWDAH_SECTION_NAME_KEY (HOWDAH_STATE_DIRECTORY,
/// HOWDAH_CLUSTER_MAIN_CONNINFO) with NAME in upper case and '-' as '_'; one may make a cluster or repository that no file names, in
/// lower case. DATABASE_URL is the conninfo of cluster "main" when no cluster is configured, or when "main" has none. A key or HOWDAH_*
/// variable not known is a problem, and so is a wrong type, unit or value, and a password or passphrase in a file. With `problems` given they are collected there; without, the first throws
/// Failure(configuration) with file, line and key. A named file that does not exist is a failure.
Config load_config(const std::filesystem::path& file, std::vector<ConfigProblem>* problems = nullptr);

/// Every setting as it is in force with where it came from, for `config show`: "key = value  # file:line|environment|default".
/// Secrets are shown as "***".
std::string describe_config(const Config& config);

/// The folder for the journal and caches, made 0700 if need be: state.directory; not configured: /var/lib/howdah when it is there; and
/// where those are not writable, $XDG_STATE_HOME/howdah or ~/.local/state/howdah. Asked after become(), for it depends on the user.
std::filesystem::path state_directory(const Config& config);

/// The commented smallest configuration that `config init` writes.
std::string initial_config();

}  // namespace howdah::base
