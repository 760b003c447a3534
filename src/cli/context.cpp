#include "cli/context.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/log.hpp"
#include "base/process.hpp"
#include "cli/exceptions.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace howdah::cli {

namespace {

constexpr std::string_view kFileScheme = "file://";

/// The nearest part of a path that exists.
std::filesystem::path existing_part(std::filesystem::path path) {
    std::error_code error;
    while (!path.empty() && path != "/" && !std::filesystem::exists(path, error)) path = path.parent_path();
    return path;
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

void Context::drop_privileges() const {
    if (::geteuid() != 0) return;
    std::error_code error;
    const auto named = config.clusters.find(cluster_name);
    const auto* cluster = named != config.clusters.end() ? &named->second : config.clusters.size() == 1 ? &config.clusters.begin()->second : nullptr;
    if (cluster && !cluster->data_directory.empty() && std::filesystem::exists(cluster->data_directory, error)) {
        base::become(base::owner_of(cluster->data_directory));
        return;
    }
    for (const auto& [name, repository] : config.repositories) {
        if (!repository.url.starts_with(kFileScheme)) continue;
        const auto path = existing_part(repository.url.substr(kFileScheme.size()));
        if (path.empty() || path == "/") continue;
        base::become(base::owner_of(path));
        return;
    }
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
        throw base::Failure(base::FailureKind::operation, "looking for a user to run a server as: neither postgres nor nobody exists", "run as another user than root");
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
