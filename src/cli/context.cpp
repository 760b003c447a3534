#include "cli/context.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/log.hpp"
#include "base/process.hpp"
#include "cli/exceptions.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "client/conninfo.hpp"

namespace howdah::cli {

namespace {

constexpr std::string_view kFileScheme = "file://";

/// The nearest part of a path that exists.
std::filesystem::path existing_part(std::filesystem::path path) {
    std::error_code error;
    while (!path.empty() && path != "/" && !std::filesystem::exists(path, error)) path = path.parent_path();
    return path;
}

std::optional<base::User> owner_of_cluster(const base::ClusterConfig& cluster) {
    std::error_code error;
    if (!cluster.data_directory.empty() && std::filesystem::exists(cluster.data_directory, error))
        return base::owner_of(cluster.data_directory);
    return socket_owner(cluster.conninfo);
}

/// The owner of a repository in a folder; of one that is to be made the owner of the folder it will be in.
std::optional<base::User> owner_of_repositories(const base::Config& config) {
    for (const auto& [name, repository] : config.repositories) {
        if (!repository.url.starts_with(kFileScheme)) continue;
        const std::filesystem::path wanted = repository.url.substr(kFileScheme.size());
        const auto path = existing_part(wanted);
        if (path.empty() || path == "/") continue;
        const auto owner = base::owner_of(path);
        if (owner.uid != 0 || path == wanted) return owner;
    }
    return std::nullopt;
}

bool is_local(const base::ClusterConfig& cluster) {
    const auto read = read_conninfo(cluster.conninfo, {});
    return read && std::any_of(read->hosts.begin(), read->hosts.end(), [](const auto& entry) { return is_socket_folder(entry.host); });
}

}  // namespace

std::filesystem::path Context::state_directory() const { return base::state_directory(config); }

std::filesystem::path Context::state_directory_if_any() const {
    try {
        return state_directory();
    } catch (const base::Failure& failure) {
        base::log_warning("going on without a state folder: {}", failure.what());
        return config.state.directory.empty() ? "/var/lib/howdah" : config.state.directory;
    }
}

std::optional<base::User> socket_owner(const std::string& conninfo) {
    const auto read = read_conninfo(conninfo, {});
    if (!read) return std::nullopt;
    for (const auto& entry : read->hosts) {
        const auto socket = std::filesystem::path(entry.host) / (".s.PGSQL." + entry.port);
        std::error_code error;
        if (entry.host.starts_with('/') && std::filesystem::exists(socket, error)) return base::owner_of(socket);
    }
    return std::nullopt;
}

std::optional<base::User> working_user(const base::Config& config, const std::string& cluster_name) {
    bool local = false;
    for (const auto& [name, cluster] : config.clusters) {
        if (config.clusters.contains(cluster_name) && name != cluster_name) continue;
        if (auto owner = owner_of_cluster(cluster)) return owner;
        local = local || is_local(cluster);
    }
    if (auto owner = owner_of_repositories(config)) return owner;
    return local ? base::find_user("postgres") : std::nullopt;
}

void Context::drop_privileges() const {
    if (::geteuid() != 0) return;
    const auto user = working_user(config, cluster_name);
    if (user) base::become(*user);
}

void print_intention(const Context& context, const std::string& sentence) {
    if (context.output != Output::json) return print(sentence + "\n");
    auto document = json_document();
    document["ok"] = true;
    document["dry_run"] = true;
    document["would"] = sentence;
    print_json(document);
}

void leave_root() {
    if (::geteuid() != 0) return;
    auto user = base::find_user("postgres");
    if (!user) user = base::find_user("nobody");
    if (!user)
        throw base::Failure(base::FailureKind::operation, "looking for a user to run a server as: neither postgres nor nobody exists",
                            "run as another user than root");
    base::become(*user);
    if (::chdir("/") != 0) throw base::SystemFailure(base::FailureKind::operation, "cannot go to /", errno);
}

void with_journal(Context& context, const std::string& operation, const std::function<JournalNote()>& work) {
    journal::Journal journal(context.state_directory_if_any());
    auto entry = journal.begin(operation, context.resolved_cluster_name(), context.repository_name);
    try {
        const auto note = work();
        entry.finish(note.found_something ? journal::Outcome::failed : journal::Outcome::done, note.message, note.figures);
    } catch (const base::Cancelled& failure) {
        entry.finish(journal::Outcome::interrupted, failure.what());
        throw;
    } catch (const std::exception& exception) {
        const auto failure = as_failure(exception, context.config);
        entry.finish(failure.kind() == base::FailureKind::locked ? journal::Outcome::refused : journal::Outcome::failed, failure.what());
        throw;
    }
}

}  // namespace howdah::cli
