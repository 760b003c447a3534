#include "restore/run.hpp"

#include <fmt/core.h>

#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/progress.hpp"
#include "restore/cluster_modes.hpp"
#include "restore/configuration.hpp"
#include "restore/copy.hpp"
#include "restore/room.hpp"
#include "restore/target_directory.hpp"

namespace howdah::restore {

namespace {

using base::Failure;
using base::FailureKind;
namespace fs = std::filesystem;

bool holds_anything(const fs::path& folder) {
    std::error_code error;
    const bool there = fs::exists(folder, error);
    if (error) return true;  // What cannot be looked at is not known to be free.
    return there && (!fs::is_directory(folder, error) || !fs::is_empty(folder, error) || error);
}

/// The server must find the label: without it a restored cluster would start from the wrong checkpoint.
void write_label(const Plan& plan, const fs::path& data_directory, const ClusterModes& modes) {
    base::write_file_durably(data_directory / "backup_label", plan.backup.root.backup_label, modes.file);
    base::fault_point("restore.label_written");
}

/// pg_control last (trap T13): until it is there nothing can be started.
void write_control(const std::string& control, const fs::path& data_directory, const ClusterModes& modes) {
    base::write_file_durably(data_directory / "global" / "pg_control", control, modes.file);
    base::fault_point("restore.control_written");
}

void require_control(const Layout& layout) {
    if (!layout.has_control)
        throw Failure(FailureKind::operation, "the backup holds no pg_control", "run `howdah backup verify`, choose another backup");
}

/// A data directory that is there knows where its tablespaces are.
Destinations destinations_of(const Plan& plan, const RestoreOptions& options) {
    return decide_destinations(plan.backup.root, options.into, options.tablespaces, options.sandbox, options.delta);
}

}  // namespace

void require_safe_tablespaces(const Plan& plan, bool sandbox) {
    if (!base::guard("T16.replayed_tablespaces")) return;
    if (sandbox && !plan.doubts.empty())
        throw Failure(FailureKind::operation, fmt::format("what replay would do cannot be told from WAL segment {}", plan.doubts.front()),
                      "a sandbox is not started on a doubt: choose a target before that segment");
    for (const auto& space : plan.tablespaces) {
        if (!sandbox && !holds_anything(space.path)) continue;
        throw Failure(
            FailureKind::operation,
            fmt::format("replay would create tablespace {} at {}, outside this restore{}", space.oid, space.path,
                        sandbox ? "" : ", and something is there already"),
            fmt::format("the path stands in the WAL at {} and cannot be mapped: choose a target before it, or a backup taken after it",
                        base::text(space.lsn)));
    }
}

void check_restore(const repository::Repository& repository, const Plan& plan, const RestoreOptions& options) {
    require_safe_tablespaces(plan, options.sandbox);
    const auto destinations = destinations_of(plan, options);
    const auto filled = check_destinations(destinations, repository, plan.backup, options.delta);
    require_separate(destinations, options.foreign);
    require_unshared(destinations, filled, options.foreign, options.keep);
    require_room(destinations, plan.backup.root,
                 [&](const repository::TreeReference& tree) { return written_bytes(repository, plan.backup, tree); });
    if (options.config_to) check_configuration_at(repository, plan.backup, *options.config_to);
}

RestoreResult run_restore(const repository::Repository& repository, const Plan& plan, const RestoreOptions& options,
                          const base::Cancellation& cancellation) {
    const auto start = std::chrono::steady_clock::now();
    RestoreResult result;
    check_restore(repository, plan, options);
    const auto destinations = destinations_of(plan, options);
    const auto& data = result.data_directory = destinations.data_directory;
    auto layout = read_layout(repository, plan.backup, destinations);
    require_control(layout);
    auto [claims, filled] = prepare_destinations(destinations, repository, plan.backup, options.delta);
    base::fault_point("restore.prepared");

    const unsigned jobs = options.jobs ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
    base::Progress progress("restoring", plan.backup.root.bytes, base::progress_allowed());
    base::RateLimit limit(options.limit);
    const auto copied =
        copy_out(repository, plan.backup, destinations, std::move(layout),
                 {.filled = !filled.empty(), .jobs = jobs, .limit = limit, .progress = progress, .cancellation = cancellation});
    base::pause_point("restore.copied", data.string());
    result.files = copied.files;
    result.bytes = copied.bytes;
    result.compared = copied.compared;
    result.rewritten = copied.rewritten;
    result.fetched = copied.fetched;
    result.removed = copied.removed;

    const auto modes = cluster_modes(data);
    if (!base::guard("T13.control_last")) write_control(copied.control, data, modes);
    result.notes = options.config_to ? place_configuration_at(repository, plan.backup, *options.config_to)
                                     : place_configuration_inside(repository, plan.backup, data, modes);
    result.notes.insert(result.notes.end(), copied.notes.begin(), copied.notes.end());
    base::fault_point("restore.configured");
    auto settings = options.role == Role::standby ? standby_settings(options.fetch, options.primary)
                                                  : recovery_settings(plan, options.fetch, options.promote);
    if (!options.archiving) {
        settings["archive_mode"] = "off";
        result.notes.push_back(
            "archive_mode is off in postgresql.auto.conf: a server that takes the original's place needs `ALTER SYSTEM RESET archive_mode` and a restart");
    }
    if (options.port) settings["port"] = std::to_string(*options.port);
    settings.merge(demanded_settings(postgres::parse_control_file(base::as_bytes(copied.control))));
    write_recovery(data, settings, plan.backup.root.server_version, modes, options.role);
    base::fault_point("restore.recovery_written");
    settle_folders(destinations, modes);
    write_label(plan, data, modes);
    sync_destinations(destinations);
    write_control(copied.control, data, modes);
    unmark_destinations(destinations, std::move(claims));
    base::fault_point("restore.unmarked");
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
}

}  // namespace howdah::restore
