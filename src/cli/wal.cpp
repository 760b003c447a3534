#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>

#include "archive/catch_up_all.hpp"
#include "archive/changed_blocks.hpp"
#include "archive/fetch.hpp"
#include "archive/prove.hpp"
#include "archive/push.hpp"
#include "archive/push_plan.hpp"
#include "archive/repository_status.hpp"
#include "archive/setup.hpp"
#include "archive/status.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/probe.hpp"
#include "cli/wal_status.hpp"
#include "postgres/cluster_facts.hpp"
#include "postgres/control_file.hpp"
#include "repository/backups.hpp"
#include "repository/lease.hpp"

namespace howdah::cli {

namespace {

struct WalOptions {
    std::string path, name, destination, wait, proof_wait = "1min";
    std::vector<std::string> from;
    bool undo = false, force = false, standby = false, no_look_ahead = false, unfinished = false, replace_unfinished = false;
};

postgres::Session connect(const Context& context, const char* application) {
    postgres::SessionOptions options;
    options.application_name = application;
    return postgres::Session(context.cluster().conninfo, options, context.cancellation);
}

/// The repositories that WAL goes to, as far as they can be opened; the others are warnings, unless they are required or none can be.
std::vector<repository::Repository> open_wal_repositories(const Context& context) {
    std::vector<repository::Repository> open;
    const auto configured = context.config.wal_repositories(context.repository_name);
    const auto& required = context.config.wal.required;
    std::exception_ptr first;
    for (const auto& config : configured) {
        try {
            open.push_back(repository::Repository::open(config));
        } catch (const base::Failure& failure) {
            if (configured.size() == 1 || std::find(required.begin(), required.end(), config.name) != required.end()) throw;
            if (!first) first = std::current_exception();
            base::log_warning("WAL repository {} cannot be opened: {}", config.name, failure.what());
        }
    }
    if (open.empty()) std::rethrow_exception(first);
    return open;
}

/// What a push would do, as a table or as JSON.
void print_push_plan(const Context& context, const archive::PushOptions& pushing) {
    const auto plan = archive::plan_push(pushing);
    auto document = json_document();
    document["ok"] = true;
    document["dry_run"] = true;
    document["files"] = Json::array();
    const bool several = pushing.repositories.size() > 1;
    Table table(several ? std::vector<std::string>{"FILE", "REPOSITORY", "WOULD"} : std::vector<std::string>{"FILE", "WOULD"});
    for (const auto& file : plan) {
        Json entry{{"name", file.name}, {"action", text(file.action)}};
        if (several && !file.repository.empty()) entry["repository"] = file.repository;
        document["files"].push_back(entry);
        table.add(several ? std::vector<std::string>{file.name, file.repository, text(file.action)}
                          : std::vector<std::string>{file.name, text(file.action)});
    }
    if (context.output == Output::json) return print_json(document);
    print(table.text());
}

void push(Context& context, const WalOptions& options) {
    const auto state = context.state_directory_if_any();
    const archive::PushOptions pushing{.cluster = context.cluster().name,
                                       .path = options.path,
                                       .acknowledgements = state / "wal-acknowledgements",
                                       .backlogs = state / "wal-backlog",
                                       .repositories = context.config.wal_repositories(context.repository_name),
                                       .required = context.config.wal.required,
                                       .backlog_limit = context.config.wal.backlog_limit,
                                       .ahead = context.config.wal.push_ahead,
                                       .jobs = context.config.backup.jobs,
                                       .compression_level = context.config.backup.compression_level,
                                       .unfinished = options.unfinished,
                                       .replace_unfinished = options.replace_unfinished};
    if (context.dry_run) return print_push_plan(context, pushing);
    const auto by_hand = [&] {
        const auto result = archive::push(pushing, context.cancellation);
        return JournalNote{.message = fmt::format("{} and {} more", pushing.path.filename().string(),
                                                  result.pushed.size() - std::min<std::size_t>(1, result.pushed.size()))};
    };
    if (options.replace_unfinished) return with_journal(context, "wal push --replace-unfinished", by_hand);
    if (options.unfinished) return with_journal(context, "wal push --unfinished", by_hand);
    if (archive::take_acknowledgement(pushing)) return;
    const auto result = archive::push(pushing, context.cancellation);
    journal::Journal(state).add_hourly("wal push", context.cluster().name, result.pushed.size(), result.bytes);
}

void fetch(Context& context, const WalOptions& options) {
    auto wait = context.config.wal.fetch_wait;
    if (!options.wait.empty()) {
        const auto given = base::parse_duration(options.wait);
        if (!given)
            throw base::Failure(base::FailureKind::usage, fmt::format("--wait is not a duration: {}", options.wait),
                                "write 0, 30s or 5min");
        wait = *given;
    }
    // PostgreSQL runs restore_command in the data directory: its pg_control says whose WAL is wanted.
    std::error_code error;
    if (!std::filesystem::exists("global/pg_control", error))
        throw base::Failure(
            base::FailureKind::operation,
            fmt::format("no data directory here: {} has no global/pg_control", std::filesystem::current_path(error).string()),
            "PostgreSQL runs restore_command in the data directory; by hand, go there first");
    const auto control = postgres::read_control_file(".");
    const archive::FetchOptions fetching{
        .cluster = context.cluster_name.empty() ? context.cluster().name : context.cluster_name,
        .system = control.system_identifier,
        .name = options.name,
        .destination = options.destination,
        .look_ahead = options.no_look_ahead ? std::filesystem::path() : context.state_directory_if_any() / "wal-look-ahead",
        .ahead = context.config.wal.fetch_ahead,
        .wait = wait,
        .dry_run = context.dry_run,
        .standby = options.standby};
    std::vector<base::RepositoryConfig> asked;
    for (const auto& name : options.from) asked.push_back(context.config.repository(name));
    if (asked.empty()) asked = context.config.wal_repositories(context.repository_name);
    const bool absent = archive::fetch(asked, fetching, context.cancellation) == archive::FetchOutcome::absent;
    if (absent) context.exit_code = 1;
    if (!context.dry_run) return;
    print_intention(context, absent ? fmt::format("Would write nothing and answer 1: {} is not in the archive, proven.", options.name)
                                    : fmt::format("Would write {} to {}.", options.name, options.destination));
}

Json describe(const archive::SetupPlan& plan) {
    Json changes = Json::array();
    for (const auto& change : plan.changes)
        changes.push_back(
            {{"setting", change.setting}, {"old", change.old_value}, {"new", change.new_value}, {"needs_restart", change.needs_restart}});
    return changes;
}

void print_plan(const archive::SetupPlan& plan) {
    Table table({"SETTING", "NOW", "THEN", "RESTART"});
    for (const auto& change : plan.changes)
        table.add({change.setting, change.old_value.empty() ? "(empty)" : change.old_value,
                   change.new_value.empty() ? "(empty)" : change.new_value, change.needs_restart ? "yes" : "no"});
    if (!table.empty()) print(table.text());
    for (const auto& note : plan.notes) print(coloured(Colour::dim, "note  ") + note + "\n");
}

/// The proof that archiving works, unless a restart must come first: the segment comes into each required repository, or into one when
/// none is required; the others are named.
void prove(Context& context, postgres::Session& session, const WalOptions& options, Json& document) {
    const auto wait = base::parse_duration(options.proof_wait);
    if (!wait)
        throw base::Failure(base::FailureKind::usage, fmt::format("--wait is not a duration: {}", options.proof_wait), "write 30s or 2min");
    const auto repositories = open_wal_repositories(context);
    const auto facts = postgres::read_cluster_facts(session);
    const repository::ClusterArea area(context.cluster().name, facts.system_identifier);
    archive::WalArchive wal(repositories.front(), area);
    for (std::size_t i = 1; i < repositories.size(); ++i) wal.read_also(repositories[i]);
    const auto directory = context.cluster().data_directory.empty() ? facts.data_directory : context.cluster().data_directory;
    const auto proof = archive::prove_archiving(session, wal, directory, *wait, context.cancellation);
    std::vector<std::string> in, without;
    for (const auto& config : context.config.wal_repositories(context.repository_name)) {
        const auto open =
            std::find_if(repositories.begin(), repositories.end(), [&](const auto& each) { return each.name() == config.name; });
        const bool there = open != repositories.end() && archive::WalArchive(*open, area).has(proof.segment);
        (there ? in : without).push_back(config.name);
        const auto& required = context.config.wal.required;
        if (!there && std::find(required.begin(), required.end(), config.name) != required.end())
            throw base::Failure(
                base::FailureKind::operation,
                fmt::format("WAL segment {} did not come into repository {}, which is required", proof.segment, config.name),
                "look into the server's log: archive_command's own message stands there");
    }
    document["proven_segment"] = proof.segment;
    document["proven_seconds"] = json_seconds(proof.time);
    document["proven_in"] = in;
    document["not_proven_in"] = without;
    if (context.output != Output::text) return;
    print(fmt::format("{} segment {} came into the repository {} after the switch.\n", coloured(Colour::green, "Proven:"), proof.segment,
                      base::text_duration(proof.time)));
    for (const auto& name : without)
        print(fmt::format("{} repository {} does not have it; `howdah wal status` says what it lacks.\n", coloured(Colour::yellow, "But:"),
                          name));
}

void setup(Context& context, const WalOptions& options) {
    const auto state = context.state_directory();
    const auto cluster = context.cluster().name;
    auto session = connect(context, "howdah wal setup");
    if (!options.undo) open_wal_repositories(context);  // Its absence or a wrong key shows before anything is changed.
    const archive::SetupOptions setting{
        .binary = base::own_binary(),
        .config_file = context.config_file.empty() ? std::filesystem::path() : std::filesystem::absolute(context.config_file),
        .cluster = cluster,
        .force = options.force};
    const auto plan = options.undo ? archive::plan_undo(session, state, cluster) : archive::plan_setup(session, setting);
    auto document = json_document();
    document["dry_run"] = context.dry_run;
    document["changes"] = describe(plan);
    document["notes"] = plan.notes;
    document["needs_restart"] = plan.needs_restart();
    if (context.output == Output::text) print_plan(plan);
    const auto work = [&] {
        if (options.undo)
            archive::apply_undo(session, plan, state, cluster);
        else
            archive::apply_setup(session, plan, state, cluster);
        if (context.output == Output::text && plan.needs_restart())
            print(coloured(Colour::yellow, "Restart the server now") +
                  (options.undo ? ".\n" : ", then run `howdah wal setup` again: it proves that archiving works.\n"));
        if (!options.undo && !plan.needs_restart()) prove(context, session, options, document);
        return JournalNote{.message = fmt::format("{} settings changed", plan.changes.size()), .figures = compact_text(document)};
    };
    if (!context.dry_run) with_journal(context, options.undo ? "wal setup --undo" : "wal setup", work);
    if (context.output == Output::json) print_json(document);
}

/// Merges what the archived segments since the newest backup say of changed blocks, so that the next incremental reads one object.
void summarize(Context& context) {
    const auto repository = context.open_repository();
    const auto backups = repository::list_backups(repository, context.cluster().name);
    const auto newest = std::find_if(backups.rbegin(), backups.rend(), [](const auto& backup) { return backup.damage.empty(); });
    if (newest == backups.rend())
        throw base::Failure(base::FailureKind::operation, "there is no backup from which WAL could be summarized",
                            "an incremental is built upon a backup: take one");
    const auto work = [&] {
        const auto& root = newest->root;
        std::optional<repository::Lease> lease;
        if (!context.dry_run) lease.emplace(repository, newest->area.lease_prefix(), "wal summarize", context.cancellation);
        archive::WalArchive wal(repository, newest->area);
        const auto done =
            archive::summarize(wal, root.timeline, root.start, root.stop, root.wal_segment_size, context.dry_run, context.cancellation);
        if (lease) lease->release();
        if (!done.doubts.empty()) context.exit_code = 1;
        auto document = json_document();
        document["ok"] = done.doubts.empty();
        document["dry_run"] = context.dry_run;
        document["backup"] = root.id;
        document["from"] = base::text(done.stretch.from);
        document["to"] = base::text(done.stretch.to);
        document["segments"] = done.segments;
        document["doubts"] = done.doubts;
        if (context.output == Output::json) {
            print_json(document);
        } else {
            for (const auto& doubt : done.doubts) print(coloured(Colour::yellow, "doubt  ") + doubt + "\n");
            print(done.stretch.from >= done.stretch.to ? fmt::format("Everything archived since backup {} is summarized.\n", root.id)
                  : done.doubts.empty()
                      ? fmt::format("{} segments from {} to {} {} summarized: the next incremental reads one object for them.\n",
                                    done.segments, base::text(done.stretch.from), base::text(done.stretch.to),
                                    context.dry_run ? "would be" : "are")
                      : std::string("Nothing was written: with a doubt an incremental reads everything.\n"));
        }
        return JournalNote{.message = fmt::format("{} segments summarized", done.segments),
                           .figures = compact_text(document),
                           .found_something = !done.doubts.empty()};
    };
    if (context.dry_run)
        work();
    else
        with_journal(context, "wal summarize", work);
}

/// The first thing that is wrong with the archive, for a probe.
std::string in_one_line(const archive::WalStatus& status) {
    if (!status.not_archiving.empty()) return status.not_archiving;
    if (status.archiver_fails) return fmt::format("archiving fails, last of {}", status.last_failed.value_or("an unknown file"));
    if (!status.gaps.empty()) return fmt::format("{} gap(s) in the archive", status.gaps.size());
    return "the archive has no gaps";
}

std::string in_one_line(const std::vector<archive::RepositoryWal>& repositories) {
    std::string text;
    for (const auto& each : repositories)
        if (!each.sound()) text += (text.empty() ? "" : "; ") + say(each);
    return text;
}

/// Those that can be opened, in order; the first failure when none can be.
std::vector<repository::Repository> open_for_status(const std::vector<base::RepositoryConfig>& configured) {
    std::vector<repository::Repository> open;
    std::exception_ptr first;
    for (const auto& config : configured) {
        try {
            open.push_back(repository::Repository::open(config));
        } catch (const base::Failure&) {
            if (!first) first = std::current_exception();
        }
    }
    if (open.empty()) std::rethrow_exception(first);
    return open;
}

void status(Context& context) {
    auto session = connect(context, "howdah wal status");
    const auto configured = context.config.wal_repositories(context.repository_name);
    const auto open = open_for_status(configured);
    const auto facts = postgres::read_cluster_facts(session);
    const repository::ClusterArea area(context.cluster().name, facts.system_identifier);
    archive::WalArchive wal(open.front(), area);
    for (std::size_t i = 1; i < open.size(); ++i) wal.read_also(open[i]);
    const auto directory = context.cluster().data_directory.empty() ? facts.data_directory : context.cluster().data_directory;
    const auto status = archive::read_wal_status(&session, wal, directory, std::chrono::milliseconds(500), context.cancellation);
    std::vector<archive::RepositoryWal> repositories;
    if (configured.size() > 1)
        repositories = archive::look_at_repositories({.repositories = configured,
                                                      .required = context.config.wal.required,
                                                      .backlog_limit = context.config.wal.backlog_limit,
                                                      .backlogs = context.state_directory_if_any() / "wal-backlog"},
                                                     area, facts.wal_segment_size);
    const bool good = status.gaps.empty() && !status.archiver_fails && status.not_archiving.empty();
    const bool sound = std::all_of(repositories.begin(), repositories.end(), [](const auto& each) { return each.sound(); });
    const bool critical = std::any_of(repositories.begin(), repositories.end(), [](const auto& each) { return each.critical(); });
    if (!good || !sound) context.exit_code = 1;
    if (context.output == Output::nagios)
        return answer_probe(
            context,
            !good || critical ? ProbeState::critical
            : !sound          ? ProbeState::warning
                              : ProbeState::ok,
            good && !sound ? in_one_line(repositories) : in_one_line(status),
            fmt::format("gaps={} ready={} lag={}B", status.gaps.size(), status.backlog ? status.backlog->ready : 0, status.lag.count));
    if (context.output == Output::json) {
        auto document = json_document();
        document["ok"] = good && sound;
        document["wal"] = describe_wal_status(status);
        if (!repositories.empty()) document["wal"]["repositories"] = describe_repositories(repositories, facts.wal_segment_size);
        return print_json(document);
    }
    Table table({"WHAT", "VALUE"});
    add_wal_status(table, status);
    add_repositories(table, repositories, facts.wal_segment_size);
    print(table.text());
}

void print_caught_up(const Context& context, const archive::CatchUpResult& result) {
    auto document = json_document();
    document["ok"] = context.exit_code == 0;
    document["dry_run"] = context.dry_run;
    document["repositories"] = Json::array();
    document["unreachable"] = result.unreachable;
    Table table({"REPOSITORY", "LACKED", "FROM PG_WAL", "FROM OTHERS", "NOWHERE", "FIRST", "LAST"});
    for (const auto& each : result.repositories) {
        document["repositories"].push_back({{"repository", each.repository},
                                            {"system_identifier", base::text(each.system)},
                                            {"lacking", each.lacking},
                                            {"from_pg_wal", each.from_pg_wal},
                                            {"from_others", each.from_others},
                                            {"nowhere", each.nowhere},
                                            {"conflicts", each.conflicts},
                                            {"failures", each.failures}});
        table.add({each.repository, fmt::format("{}", each.lacking.size()), fmt::format("{}", each.from_pg_wal),
                   fmt::format("{}", each.from_others), fmt::format("{}", each.nowhere.size()),
                   each.lacking.empty() ? "" : each.lacking.front(), each.lacking.empty() ? "" : each.lacking.back()});
    }
    if (context.output == Output::json) return print_json(document);
    if (!table.empty()) print(table.text());
    for (const auto& each : result.repositories) {
        for (const auto& conflict : each.conflicts)
            print(fmt::format("{} {}: {}\n", coloured(Colour::red, "differs"), each.repository, conflict));
        for (const auto& failure : each.failures)
            print(fmt::format("{} {}: {}\n", coloured(Colour::red, "failed "), each.repository, failure));
    }
    for (const auto& text : result.unreachable) print(fmt::format("{} {}\n", coloured(Colour::yellow, "not asked"), text));
    if (result.repositories.empty() && result.unreachable.empty()) print("No repository lacks anything that another has.\n");
}

void catch_up(Context& context) {
    std::error_code error;
    const auto& cluster = context.cluster();
    const archive::CatchUpOptions options{.cluster = cluster.name,
                                          .repositories = context.config.wal_repositories(context.repository_name),
                                          .backlogs = context.state_directory_if_any() / "wal-backlog",
                                          .data_directory = std::filesystem::exists(cluster.data_directory / "global" / "pg_control", error)
                                                                ? cluster.data_directory
                                                                : std::filesystem::path(),
                                          .jobs = context.config.backup.jobs,
                                          .compression_level = context.config.backup.compression_level,
                                          .dry_run = context.dry_run};
    const auto work = [&] {
        const auto result = archive::catch_up_all(options, context.cancellation);
        std::size_t files = 0;
        for (const auto& each : result.repositories) {
            files += each.from_pg_wal + each.from_others;
            if (!each.conflicts.empty() || !each.nowhere.empty() || !each.failures.empty()) context.exit_code = 1;
        }
        if (context.exit_code == 0 && !result.unreachable.empty()) context.exit_code = static_cast<int>(base::FailureKind::repository);
        print_caught_up(context, result);
        return JournalNote{.message = fmt::format("{} files brought to repositories that lacked them", files),
                           .found_something = context.exit_code != 0};
    };
    if (context.dry_run)
        work();
    else
        with_journal(context, "wal catch-up", work);
}

}  // namespace

void add_wal(CLI::App& program, Context& context) {
    auto options = std::make_shared<WalOptions>();
    auto* area = program.add_subcommand("wal", "Archive WAL, fetch it for recovery, look after the archive");
    area->require_subcommand(1);
    auto* verb = area->add_subcommand("setup", "Set the server up to archive its WAL through howdah, and prove that it does");
    verb->add_flag("--undo", options->undo, "Put the old settings back");
    verb->add_flag("--force", options->force, "Replace another tool's archive_command");
    verb->add_option("--wait", options->proof_wait, "How long the proof may take")->capture_default_str();
    verb->callback([&context, options] { context.command = [&context, options] { setup(context, *options); }; });
    verb = area->add_subcommand("push", "Archive a WAL file: what archive_command calls with %p");
    verb->add_option("path", options->path, "The file, as PostgreSQL names it by %p")->required();
    auto* unfinished = verb->add_flag("--unfinished", options->unfinished,
                                      "By hand, when the server is lost: store its last segment although it was never finished");
    verb->add_flag("--replace-unfinished", options->replace_unfinished,
                   "By hand: put the finished segment in place of a copy archived before it was finished")
        ->excludes(unfinished);
    verb->callback([&context, options] { context.command = [&context, options] { push(context, *options); }; });
    verb = area->add_subcommand("fetch",
                                "Fetch a WAL file: what restore_command calls with %f and %p. 0 found, 1 surely absent, 126 anything else");
    verb->add_option("name", options->name, "The file's name (%f)")->required();
    verb->add_option("destination", options->destination, "Where to put it (%p)")->required();
    verb->add_option("--from", options->from, "Ask these repositories, in this order (default: wal.repositories)")->allow_extra_args(false);
    verb->add_option("--wait", options->wait, "How long an outage is waited for (default: wal.fetch_wait)");
    verb->add_flag("--standby", options->standby, "For a standby that also streams: an outage answers 1");
    verb->add_flag("--no-look-ahead", options->no_look_ahead, "Do not fetch the following segments in advance");
    verb->callback([&context, options] { context.command = [&context, options] { fetch(context, *options); }; });
    area->add_subcommand("summarize", "Merge what archived segments say of changed blocks, so that the next incremental reads one object")
        ->callback([&context] { context.command = [&context] { summarize(context); }; });
    area->add_subcommand("catch-up", "Bring each repository what it lacks of the WAL that another has")->callback([&context] {
        context.command = [&context] { catch_up(context); };
    });
    area->add_subcommand("status", "What is archived, what waits, what is missing")->callback([&context] {
        context.answers_probes = true;
        context.command = [&context] { status(context); };
    });
}

}  // namespace howdah::cli
