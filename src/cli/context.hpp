#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/cancellation.hpp"
#include "base/config.hpp"
#include "base/process.hpp"
#include "cli/exit_codes.hpp"
#include "journal/journal.hpp"
#include "repository/repository.hpp"

namespace howdah::cli {

enum class Output { text, json, nagios };

/// What every command gets: the global options, the configuration, the cancellation. Made once by run_program.
struct Context {
    std::filesystem::path config_file;
    std::string cluster_name;
    std::string repository_name;
    Output output = Output::text;
    bool dry_run = false;
    bool verbose = false;
    base::Config config;
    base::Cancellation cancellation;
    int exit_code = 0;
    Caller called_by = Caller::person;
    /// Set by a command's option parsing; run after the configuration is loaded.
    std::function<void()> command;
    bool needs_config = true;
    /// Set by the commands that have an answer for --output nagios; the others refuse it, for a table and exit 0 would read as OK.
    bool answers_probes = false;

    const base::ClusterConfig& cluster() const { return config.cluster(cluster_name); }
    /// The name given, or that of the only cluster configured; empty when there are several or none.
    std::string resolved_cluster_name() const {
        return !cluster_name.empty() || config.clusters.size() != 1 ? cluster_name : config.clusters.begin()->first;
    }
    const base::RepositoryConfig& repository_config() const { return config.repository(repository_name); }
    repository::Repository open_repository() const { return repository::Repository::open(repository_config()); }
    std::filesystem::path state_directory() const;
    /// The same for those that can do without: when no folder can be written a warning, and the place where it should be. Journal,
    /// acknowledgements and look-ahead then warn or do nothing; the operation goes on.
    std::filesystem::path state_directory_if_any() const;
    /// As root, becomes the working_user() for good.
    void drop_privileges() const;
};

/// Whom root becomes for the work on a cluster and its repository: the owner of the data directory; where that is not known the owner of the
/// server's socket, else of the repository, else for a cluster on this host the user postgres. None: it stays root. Of several clusters
/// with none named the first decides.
std::optional<base::User> working_user(const base::Config& config, const std::string& cluster_name);

/// Who owns the Unix socket that a connection string leads to: the server's user. None when it leads elsewhere or there is no socket.
std::optional<base::User> socket_owner(const std::string& conninfo);

/// PostgreSQL refuses to run as root: for commands that start private servers root becomes the server's user (postgres, else nobody) for
/// good, in a folder that this user may be in.
void leave_root();

/// What a command would do, for --dry-run of those that have no figures to show: a sentence ("Would …."), as JSON in `would`.
void print_intention(const Context& context, const std::string& sentence);

/// Runs an operation with a journal entry around it: `work` returns the message and the figures (a JSON object's text).
struct JournalNote {
    std::string message;
    std::string figures = "{}";
    bool found_something = false;  ///< The operation ended, but a check found something.
};
void with_journal(Context& context, const std::string& operation, const std::function<JournalNote()>& work);

}  // namespace howdah::cli
