#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/process.hpp"
#include "base/rate_limit.hpp"
#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/fetch_command.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "postgres/scratch.hpp"
#include "restore/configuration.hpp"
#include "restore/listening.hpp"
#include "restore/plan.hpp"
#include "restore/run.hpp"
#include "restore/start.hpp"

namespace howdah::cli {

namespace {

struct RestoreCommandOptions {
    std::string into, backup, time, lsn, config_to, limit, name, xid, primary;
    std::string archive = "off";
    bool latest = false, backup_end = false, start = false, pause = false, sandbox = false, delta = false, standby = false;
    std::uint32_t timeline = 0;
    std::vector<std::string> tablespaces;
    unsigned jobs = 0;
    int port = 0;
    std::string patience = "1h";
};

/// A transaction's number; of one with its epoch in front (pg_current_xact_id) the lower 32 bits, as PostgreSQL takes it.
base::Xid transaction_of(const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const base::Xid xid{static_cast<std::uint32_t>(number)};
    if (error != std::errc() || end != text.data() + text.size() || xid.value < 3)
        throw base::Failure(base::FailureKind::usage, fmt::format("--to-xid is not a transaction's number: {}", text),
                            "write it as pg_current_xact_id() gave it, like 731");
    return xid;
}

restore::Target target_of(const RestoreCommandOptions& options) {
    const int given =
        !options.time.empty() + !options.lsn.empty() + !options.name.empty() + !options.xid.empty() + options.latest + options.backup_end;
    if (given > 1)
        throw base::Failure(base::FailureKind::usage, "more than one target was given",
                            "give one of --to-time, --to-lsn, --to-name, --to-xid, --to-backup-end and --latest");
    if (!options.time.empty()) {
        const auto time = base::parse_timestamp(options.time);
        if (!time)
            throw base::Failure(base::FailureKind::usage, fmt::format("--to-time is not a time with an offset: {}", options.time),
                                "write it like '2026-11-21 14:03:00+01' or 2026-11-21T13:03:00Z");
        return restore::ToTime{*time};
    }
    if (!options.lsn.empty()) {
        const auto lsn = base::parse_lsn(options.lsn);
        if (!lsn)
            throw base::Failure(base::FailureKind::usage, fmt::format("--to-lsn is not an LSN: {}", options.lsn),
                                "write it like 0/3000028");
        return restore::ToLsn{*lsn};
    }
    if (!options.name.empty()) return restore::ToName{options.name};
    if (!options.xid.empty()) return restore::ToXid{transaction_of(options.xid)};
    if (options.backup_end) return restore::ToBackupEnd{};
    return restore::ToLatest{};
}

Json describe(const restore::Plan& plan) {
    const auto& root = plan.backup.root;
    return {{"backup", root.id},
            {"target", restore::describe(plan.target)},
            {"timeline", plan.timeline.value},
            {"bytes", root.bytes.count},
            {"wal_segments", plan.path.segments.size()},
            {"first_segment", plan.path.segments.empty() ? Json(nullptr) : Json(plan.path.segments.front())},
            {"last_segment", plan.path.segments.empty() ? Json(nullptr) : Json(plan.path.segments.back())},
            {"last_commit_archived", json_time(plan.commits.last)},
            {"notes", plan.notes}};
}

void print_plan(const restore::Plan& plan, const std::string& into) {
    const auto& root = plan.backup.root;
    print(fmt::format("Backup {} of cluster {} ({}, complete since {}) into {},\nthen {} WAL segment(s) on timeline {} to {}.\n", root.id,
                      root.cluster, base::text(root.bytes), base::text(root.stop_time), into, plan.path.segments.size(),
                      base::text(plan.timeline), restore::describe(plan.target)));
    for (const auto& note : plan.notes) print(coloured(Colour::yellow, "note  ") + note + "\n");
    for (const auto& space : plan.tablespaces)
        print(coloured(Colour::yellow, "warning  ") +
              fmt::format("replay creates tablespace {} at {}, which no mapping changes\n", space.oid, space.path));
}

/// The server's programs for what is restored; Failure when this host has none of that version.
std::filesystem::path programs_for(const Context& context, const repository::Root& root) {
    const auto& clusters = context.config.clusters;
    const auto configured = clusters.contains(root.cluster) ? clusters.at(root.cluster).program_directory : std::filesystem::path();
    return postgres::find_programs(root.server_version / 10000, configured);
}

/// Starts what was restored. Whatever goes wrong now, the copy is whole.
restore::StartResult start(Context& context, const repository::Root& root, const std::filesystem::path& data_directory,
                           base::Duration patience) {
    const auto programs = programs_for(context, root);
    try {
        return restore::start_restored(data_directory, programs, patience, context.cancellation);
    } catch (const base::Cancelled&) {
        throw;
    } catch (const base::Failure& failure) {
        throw base::Failure(failure.kind(), fmt::format("the copy in {} is complete, but {}", data_directory.string(), failure.what()),
                            fmt::format("{0}; start it again with: cd {2} && {1} -D {2} start", failure.hint(),
                                        (programs / "pg_ctl").string(), base::shell_quote(data_directory.string())));
    }
}

/// A sentence for people; the documents name every file.
void print_notes(const std::vector<std::string>& notes) {
    constexpr std::string_view kMoved = " of the backup's host is now ";
    const auto moved = static_cast<std::size_t>(
        std::count_if(notes.begin(), notes.end(), [&](const auto& note) { return note.find(kMoved) != std::string::npos; }));
    for (const auto& note : notes)
        if (moved < 2 || note.find(kMoved) == std::string::npos) print(coloured(Colour::dim, "note  ") + note + "\n");
    if (moved >= 2)
        print(coloured(Colour::dim, "note  ") +
              fmt::format("{} configuration files from outside the data directory are now inside it\n", moved));
}

void describe(const restore::RestoreResult& result, Json& document) {
    document["data_directory"] = result.data_directory.string();
    document["files"] = result.files;
    document["bytes_compared"] = result.compared.count;
    document["bytes_rewritten"] = result.rewritten.count;
    document["stored_bytes_fetched"] = result.fetched.count;
    document["files_removed"] = result.removed;
    document["seconds"] = result.seconds;
    document["notes"] = result.notes;
}

void describe(const restore::StartResult& started, Json& document) {
    document["seconds_to_consistent"] = started.seconds_to_consistent;
    document["seconds_to_promoted"] = started.seconds_to_promoted;
    document["conninfo"] = started.conninfo;
}

void print_result(const restore::RestoreResult& result, bool delta) {
    print_notes(result.notes);
    print(fmt::format("Restored {} files, {}, in {:.1f} s.\n", result.files, base::text(result.bytes), result.seconds));
    if (delta || result.compared.count > 0)
        print(fmt::format("Of what was there {} were compared; {} written, {} file(s) removed.\n", base::text(result.compared),
                          base::text(result.rewritten), result.removed));
}

void print_started(const restore::StartResult& started) {
    print(fmt::format("The server runs ({}): consistent after {:.1f} s, promoted after {:.1f} s.\n", started.conninfo,
                      started.seconds_to_consistent, started.seconds_to_promoted));
}

void print_how_to_start(const RestoreCommandOptions& options) {
    if (options.standby) return print("Start it as any PostgreSQL server: it follows until pg_promote() or `pg_ctl promote`.\n");
    print(fmt::format(
        "Start it as any PostgreSQL server: it recovers to the target by itself. Do not stop it before pg_is_in_recovery() is false.\n{}",
        options.port ? "" : "Beside a live server give it another port (--port N, or `pg_ctl -o '-p N'`).\n"));
}

/// What is configured is not to be restored into: every repository in a folder, every cluster with its tablespaces.
std::vector<restore::ForeignFolder> foreign_folders(const base::Config& config) {
    constexpr std::string_view kFolder = "file://";
    std::vector<restore::ForeignFolder> folders;
    for (const auto& [name, repository] : config.repositories)
        if (repository.url.starts_with(kFolder))
            folders.push_back({repository.url.substr(kFolder.size()), "the repository " + name, false});
    for (const auto& [name, cluster] : config.clusters)
        for (auto& folder : restore::folders_of_cluster(name, cluster.data_directory)) folders.push_back(std::move(folder));
    return folders;
}

/// What no restore may remove, wherever it lies.
std::vector<std::filesystem::path> kept_files(const Context& context) {
    std::vector<std::filesystem::path> files;
    for (const auto& [name, repository] : context.config.repositories)
        if (!repository.key_file.empty()) files.push_back(repository.key_file);
    if (!context.config_file.empty()) files.push_back(context.config_file);
    if (const auto state = context.state_directory_if_any(); !state.empty()) files.push_back(state);
    return files;
}

/// A standby follows to the end of all WAL and is not promoted.
void require_standby_alone(const RestoreCommandOptions& options, const restore::Target& target) {
    if (!options.standby) {
        if (!options.primary.empty())
            throw base::Failure(base::FailureKind::usage, "--primary was given without --standby", "give both, or leave --primary out");
        return;
    }
    const char* other = !std::holds_alternative<restore::ToLatest>(target) ? "a target"
                        : options.timeline                                 ? "--timeline"
                        : options.start                                    ? "--start"
                        : options.sandbox                                  ? "--sandbox"
                                                                           : nullptr;
    if (other)
        throw base::Failure(base::FailureKind::usage, fmt::format("--standby and {} were given together", other),
                            "a standby follows the newest timeline until it is promoted: leave one of them out");
    if (options.primary.find("password") != std::string::npos)
        throw base::Failure(base::FailureKind::usage, "--primary holds a password",
                            "keep it in a passfile of the server's user (~/.pgpass)");
}

/// Refuses options that go not together. Returns how long --start waits.
base::Duration require_sensible(const RestoreCommandOptions& options) {
    const auto target = target_of(options);
    if (options.pause && std::holds_alternative<restore::ToLatest>(target))
        throw base::Failure(base::FailureKind::usage, "--pause needs a target to pause at",
                            "give --to-time, --to-lsn, --to-name, --to-xid or --to-backup-end");
    require_standby_alone(options, target);
    if (options.pause && options.start)
        throw base::Failure(base::FailureKind::usage, "--start waits for the promotion that --pause prevents",
                            "start the server yourself and look at it, or leave --pause out");
    const auto patience = base::parse_duration(options.patience);
    if (!patience)
        throw base::Failure(base::FailureKind::usage, fmt::format("--wait is not a duration: {}", options.patience),
                            "write 90s, 30min or 2h");
    if (options.sandbox && options.start)
        throw base::Failure(
            base::FailureKind::usage, "--sandbox and --start were given together: --start runs the server with its own settings",
            "beside a live server give --port N instead; or restore with --sandbox only, and start it with archiving and outside connections off");
    if (options.start && !options.config_to.empty())
        throw base::Failure(
            base::FailureKind::usage,
            "--start and --config-to were given together: --start runs the server with the configuration in its data directory",
            "leave --config-to out, or start the server yourself with the configuration's own tools (pg_ctlcluster, systemctl)");
    return *patience;
}

void run(Context& context, const RestoreCommandOptions& options) {
    const auto patience = require_sensible(options);
    const auto limit = base::limit_of_option(options.limit);
    const auto repository = context.open_repository();
    const auto sources = wal_sources(context);
    std::vector<const repository::Repository*> others;
    for (const auto& other : sources.others) others.push_back(&other);
    const auto plan =
        restore::make_plan(repository, {.cluster = context.resolved_cluster_name(),
                                        .backup_id = options.backup,
                                        .target = target_of(options),
                                        .timeline = options.timeline ? std::optional(base::Timeline{options.timeline}) : std::nullopt,
                                        .wal_repositories = others});
    auto document = json_document();
    document["ok"] = true;
    document["dry_run"] = context.dry_run;
    document["plan"] = describe(plan);
    const restore::RestoreOptions restoring{
        .into = options.into,
        .tablespaces = options.tablespaces,
        .config_to = options.config_to.empty() ? std::nullopt : std::optional<std::filesystem::path>(options.config_to),
        .fetch = fetch_command(context, plan.backup.root.cluster, sources.names, options.standby),
        .jobs = options.jobs ? options.jobs : context.config.backup.jobs,
        .archiving = options.archive == "keep",
        .port = options.port ? std::optional(options.port) : std::nullopt,
        .promote = !options.pause,
        .foreign = foreign_folders(context.config),
        .keep = kept_files(context),
        .sandbox = options.sandbox,
        .delta = options.delta,
        .role = options.standby ? restore::Role::standby : restore::Role::primary,
        .primary = options.primary,
        .limit = limit};
    const auto check = [&] {
        if (options.start) programs_for(context, plan.backup.root);
        restore::check_restore(repository, plan, restoring);
        if (options.start) restore::require_free(restore::listening_of(restore::settings_of(repository, plan.backup), restoring.port));
        if (context.output == Output::text) print_plan(plan, options.into);
    };
    if (context.dry_run) {
        check();
        if (context.output == Output::json) print_json(document);
        return;
    }
    with_journal(context, "restore", [&] {
        check();
        const auto result = restore::run_restore(repository, plan, restoring, context.cancellation);
        describe(result, document);
        if (context.output == Output::text) print_result(result, options.delta);
        if (options.start) {
            const auto started = start(context, plan.backup.root, result.data_directory, patience);
            describe(started, document);
            if (context.output == Output::text) print_started(started);
        } else if (context.output == Output::text) {
            print_how_to_start(options);
        }
        if (context.output == Output::json) print_json(document);
        return JournalNote{.message = fmt::format("restored backup {} into {}", plan.backup.root.id, result.data_directory.string()),
                           .figures = compact_text(document)};
    });
}

}  // namespace

void add_restore(CLI::App& program, Context& context) {
    auto options = std::make_shared<RestoreCommandOptions>();
    auto* area = program.add_subcommand("restore", "Bring a cluster back, to the second that is asked for");
    area->add_option("--into", options->into, "Empty or new folder for the data directory; with --delta also an earlier copy")->required();
    area->add_flag("--delta", options->delta,
                   "Bring a stopped data directory of the same cluster to the backup: only pages that differ are written, other files go");
    area->add_option("--limit", options->limit, "Megabytes per second read from or written to the directory, all workers together");
    area->add_option("--backup", options->backup, "Backup to begin with (default: the right one for the target)");
    area->add_option("--to-time", options->time, "Recover up to the last commit at or before this time");
    area->add_option("--to-lsn", options->lsn, "Recover up to this position");
    area->add_option("--to-name", options->name, "Recover up to the restore point of this name (pg_create_restore_point)");
    area->add_option("--to-xid", options->xid, "Recover up to and with the end of this transaction");
    area->add_flag("--to-backup-end", options->backup_end, "Stop at the first consistent moment");
    area->add_flag("--latest", options->latest, "Recover everything archived (the default)");
    area->add_option("--timeline", options->timeline, "Timeline to end on (default: the newest that can be reached)");
    area->add_option("--tablespace", options->tablespaces, "Where a tablespace goes: NAME=DIR, OID=DIR or OLDPATH=DIR; may be repeated");
    area->add_flag("--sandbox", options->sandbox,
                   "Beside the live cluster: tablespaces go next to --into, and WAL that creates one elsewhere is refused");
    area->add_option("--config-to", options->config_to,
                     "Put configuration from outside the data directory below this folder (/ for its old places)");
    area->add_option("--archive", options->archive,
                     "off: the restored server archives nothing; keep: as the original did, for one that takes its place")
        ->check(CLI::IsMember({"off", "keep"}))
        ->capture_default_str();
    area->add_flag("--standby", options->standby,
                   "Make a standby: it follows the archive, and streams with --primary, until it is promoted");
    area->add_option("--primary", options->primary, "Connection string of the server from which the standby streams");
    area->add_flag("--start", options->start, "Start the server and wait until it is promoted");
    area->add_option("--port", options->port, "Port of the restored server (default: the backup's)")->check(CLI::Range(1, 65535));
    area->add_flag("--pause", options->pause, "Pause at the target instead of promoting");
    area->add_option("--wait", options->patience, "How long --start waits for the end of recovery")->capture_default_str();
    area->add_option("--jobs", options->jobs, "Workers (default: all cores)")->check(CLI::Range(1u, 256u));
    for (auto* option : area->get_options())
        if (option->get_items_expected_max() > 0)
            option->check(CLI::Validator([](std::string& value) { return value.empty() ? "an empty value means nothing here" : ""; }, ""));
    area->callback([&context, options] { context.command = [&context, options] { run(context, *options); }; });
}

}  // namespace howdah::cli
