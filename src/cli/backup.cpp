#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <memory>
#include <set>

#include "backup/run.hpp"
#include "backup/status.hpp"
#include "backup/verify.hpp"
#include "base/random.hpp"
#include "base/rate_limit.hpp"
#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/probe.hpp"
#include "cli/wal_status.hpp"
#include "repository/backups.hpp"

namespace howdah::cli {

namespace {

struct BackupCommandOptions {
    std::string type = "full";
    std::string parent, limit;
    std::string checkpoint;
    std::string label = "howdah";
    std::string id;
    unsigned jobs = 0;
    std::optional<unsigned> audit;
    bool all = false;
    bool full = false;
    std::string sample;
    std::optional<std::uint32_t> seed;
};

double mib_per_second(base::Bytes bytes, double seconds) {
    return seconds > 0 ? static_cast<double>(bytes.count) / (1 << 20) / seconds : 0;
}

Json describe(const repository::Root& root) {
    return {{"id", root.id},
            {"type", root.type},
            {"cluster", root.cluster},
            {"system_identifier", base::text(root.system_identifier)},
            {"server_version", root.server_version},
            {"timeline", root.timeline.value},
            {"start_lsn", base::text(root.start)},
            {"stop_lsn", base::text(root.stop)},
            {"start_time", json_time(root.start_time)},
            {"stop_time", json_time(root.stop_time)},
            {"first_segment", root.first_segment},
            {"last_segment", root.last_segment},
            {"files", root.files},
            {"bytes", root.bytes.count},
            {"bytes_read", root.bytes_read.count},
            {"stored_bytes", root.stored_bytes.count},
            {"seconds", root.seconds},
            {"bad_pages", root.bad_pages},
            {"vanished_files", root.vanished_files},
            {"parent", root.parent.empty() ? Json() : Json(root.parent)},
            {"fallback", root.fallback},
            {"host", root.host}};
}

bool found_something(const backup::BackupResult& result) {
    return !result.bad_pages.empty() || (result.audit && !result.audit->differ.empty());
}

void print_audit(const backup::BackupResult::Audit& audit) {
    for (const auto& page : audit.differ) print(coloured(Colour::red, "unlogged change  ") + page + "\n");
    print(fmt::format("Audit: {} of the pages that WAL says are unchanged were compared; {} differ.\n", audit.pages, audit.differ.size()));
    if (!audit.differ.empty())
        print(
            "HINT: something wrote to the data files beside the server, or a summary is wrong; this backup is whole, those since its "
            "last full one may not be: take a full backup.\n");
}

void print_result(const Context& context, const backup::BackupResult& result) {
    const auto& root = result.root;
    if (context.output == Output::json) {
        auto document = json_document();
        document["ok"] = !found_something(result);
        document["dry_run"] = !result.published;
        document["backup"] = describe(root);
        // What only a backup that was taken has.
        if (!result.published)
            for (const char* key : {"id", "timeline", "start_lsn", "stop_lsn", "start_time", "stop_time", "first_segment", "last_segment",
                                    "bytes_read", "stored_bytes", "seconds"})
                document["backup"][key] = nullptr;
        document["bad_pages"] = result.bad_pages;
        document["warnings"] = result.warnings;
        document["audit"] = nullptr;
        if (const auto& audit = result.audit)
            document["audit"] = {{"percent", audit->percent}, {"pages", audit->pages}, {"differ", audit->differ}};
        return print_json(document);
    }
    for (const auto& warning : result.warnings) print(coloured(Colour::yellow, "warning  ") + warning + "\n");
    for (const auto& page : result.bad_pages) print(coloured(Colour::red, "bad page  ") + page + "\n");
    if (!result.published && root.type == "incr")
        return print(
            fmt::format("Would read what changed since backup {} of {} files, {}.\n", root.parent, root.files, base::text(root.bytes)));
    if (!result.published) return print(fmt::format("Would copy {} files, {}.\n", root.files, base::text(root.bytes)));
    for (const auto& doubt : root.fallback) print(coloured(Colour::yellow, "everything was read  ") + doubt + "\n");
    if (root.type == "incr")
        print(fmt::format("Backup {} is complete: {} files, {}; of that {} read in {:.1f} s, {} stored; the rest is shared with {}.\n",
                          root.id, root.files, base::text(root.bytes), base::text(root.bytes_read), root.seconds,
                          base::text(root.stored_bytes), root.parent));
    else
        print(fmt::format("Backup {} is complete: {} files, {} copied in {:.1f} s ({:.0f} MiB/s), {} stored.\n", root.id, root.files,
                          base::text(root.bytes), root.seconds, mib_per_second(root.bytes, root.seconds), base::text(root.stored_bytes)));
    if (result.audit) print_audit(*result.audit);
    if (!result.bad_pages.empty())
        print(
            fmt::format("{} page(s) have a wrong checksum in the live cluster too; the backup holds them as they are and is marked.\n"
                        "HINT: find what damaged them, and restore those relations from an older backup.\n",
                        result.bad_pages.size()));
}

void run(Context& context, const BackupCommandOptions& options) {
    if (!options.parent.empty() && options.type != "incr")
        throw base::Failure(base::FailureKind::usage, "a full backup builds upon no other: --parent " + options.parent,
                            "use --type incr, or leave out --parent");
    if (options.audit && options.type != "incr")
        throw base::Failure(base::FailureKind::usage, "a full backup reads everything: --audit", "use --type incr, or leave out --audit");
    const bool spread = options.checkpoint.empty() ? context.config.backup.checkpoint_spread : options.checkpoint == "spread";
    const backup::BackupOptions how{.incremental = options.type == "incr",
                                    .parent = options.parent,
                                    .label = options.label,
                                    .jobs = options.jobs ? options.jobs : context.config.backup.jobs,
                                    .limit = base::limit_of_option(options.limit),
                                    .compression_level = context.config.backup.compression_level,
                                    .checkpoint_spread = spread,
                                    .audit_percent = options.audit.value_or(context.config.backup.audit_percent),
                                    .dry_run = context.dry_run,
                                    .wal_repositories = context.config.wal_repositories()};
    const auto work = [&] {
        const auto repository = context.open_repository();
        const auto result = backup::run_backup(context.cluster(), repository, how, context.cancellation);
        print_result(context, result);
        if (found_something(result)) context.exit_code = 1;
        return JournalNote{.message = fmt::format("backup {}", result.root.id),
                           .figures = compact_text(describe(result.root)),
                           .found_something = found_something(result)};
    };
    if (context.dry_run)
        work();
    else
        with_journal(context, "backup run", work);
}

std::string listed(const std::set<std::string>& names) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    return list.empty() ? "none" : list;
}

/// A repository is read without any cluster configured, so a name is good when either knows it. Gives the names it holds.
std::set<std::string> known_clusters(const Context& context, const repository::Repository& repository) {
    std::set<std::string> configured, stored;
    for (const auto& [name, cluster] : context.config.clusters) configured.insert(name);
    for (const auto& area : repository.areas()) stored.insert(area.cluster());
    if (context.cluster_name.empty() || configured.contains(context.cluster_name) || stored.contains(context.cluster_name)) return stored;
    throw base::Failure(base::FailureKind::configuration, fmt::format("no such cluster: {}", context.cluster_name),
                        fmt::format("configured: {}; in the repository: {}", listed(configured), listed(stored)));
}

std::string nothing_listed(const Context& context, std::set<std::string> stored) {
    if (context.cluster_name.empty()) return "No backups yet: `howdah backup run` takes one.\n";
    stored.erase(context.cluster_name);
    return fmt::format("No backups of cluster {} yet: `howdah backup run` takes one.{}\n", context.cluster_name,
                       stored.empty() ? "" : " The repository also knows: " + listed(stored) + ".");
}

void list(Context& context, const BackupCommandOptions& options) {
    const auto repository = context.open_repository();
    const auto stored = known_clusters(context, repository);
    const auto backups = repository::list_backups(repository, context.cluster_name, options.all);
    const auto now = repository.store().now();
    auto document = json_document();
    document["backups"] = Json::array();
    Table table({"BACKUP", "TYPE", "CLUSTER", "AGE", "SIZE", "STORED", "TOOK", "TL", "START", "STOP", "STATE"},
                {false, false, false, true, true, true, true, true, true, true, false});
    for (const auto& backup : backups) {
        const auto& root = backup.root;
        const std::string state = !backup.damage.empty() ? "damaged"
                                  : backup.expired       ? "expired"
                                  : root.bad_pages       ? fmt::format("{} bad pages", root.bad_pages)
                                                         : "good";
        auto entry = describe(root);
        entry["state"] = state;
        if (!backup.damage.empty()) entry["damage"] = backup.damage;
        document["backups"].push_back(entry);
        table.add({root.id, root.type, root.cluster, base::text_duration(now - root.stop_time), base::text(root.bytes),
                   base::text(root.stored_bytes), fmt::format("{:.1f} s", root.seconds), base::text(root.timeline), base::text(root.start),
                   base::text(root.stop), state});
        if (!backup.damage.empty()) context.exit_code = 1;
    }
    if (context.output == Output::json) return print_json(document);
    print(backups.empty() ? nothing_listed(context, stored) : table.text());
}

/// One field for people: sizes with units, a list as one line for each of its entries.
void add_field(Table& table, const std::string& key, const Json& value) {
    if (value.is_array()) {
        for (const auto& entry : value) {
            std::string line;
            for (const auto& [name, part] : entry.items())
                line += (line.empty() ? "" : ", ") + name + " " + (part.is_string() ? part.get<std::string>() : part.dump());
            table.add({key, line});
        }
    } else if (key == "bytes" || key.ends_with("_bytes") || key == "bytes_read") {
        table.add({key, base::text(base::Bytes{value.get<std::uint64_t>()})});
    } else if (key == "seconds") {
        table.add({key, fmt::format("{:.1f}", value.get<double>())});
    } else {
        table.add({key, value.is_string() ? value.get<std::string>() : value.dump()});
    }
}

void show(Context& context, const BackupCommandOptions& options) {
    const auto repository = context.open_repository();
    const auto backup = repository::find_backup(repository, context.cluster_name, options.id);
    if (!backup.damage.empty())
        throw base::Failure(base::FailureKind::operation, fmt::format("backup {} is damaged: {}", backup.root.id, backup.damage),
                            "run `howdah backup verify`");
    auto document = json_document();
    document["backup"] = describe(backup.root);
    document["backup"]["trees"] = backup.root.trees.size();
    document["backup"]["tablespaces"] = Json::array();
    for (const auto& space : backup.root.tablespaces)
        document["backup"]["tablespaces"].push_back({{"oid", space.oid}, {"name", space.name}, {"location", space.location}});
    document["backup"]["outside"] = Json::array();
    for (const auto& file : backup.root.outside) document["backup"]["outside"].push_back({{"path", file.path}, {"role", file.role}});
    if (context.output == Output::json) return print_json(document);
    Table table({"FIELD", "VALUE"});
    for (const auto& [key, value] : document["backup"].items()) add_field(table, key, value);
    print(table.text());
}

/// "5" or "5%" or "0.1 %".
double parse_percent(std::string_view text) {
    std::string_view number = text;
    if (number.ends_with('%')) number.remove_suffix(1);
    while (number.ends_with(' ')) number.remove_suffix(1);
    double percent = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), percent, std::chars_format::fixed);
    if (error != std::errc() || end != number.data() + number.size() || !(percent > 0 && percent <= 100))
        throw base::Failure(base::FailureKind::usage, fmt::format("--sample is no share: {}", text),
                            "write a number above 0 and up to 100, as in --sample 5%");
    return percent;
}

/// Which share of the frames verify looks into; none: it authenticates only.
std::optional<repository::Share> share_of(const BackupCommandOptions& options) {
    if (!options.sample.empty()) {
        const double percent = parse_percent(options.sample);
        std::uint32_t seed = 0;
        base::fill_random(std::as_writable_bytes(std::span(&seed, 1)));
        return repository::Share(percent, options.seed.value_or(seed));
    }
    if (options.full) return repository::Share();
    return std::nullopt;
}

double percent_of(std::uint64_t part, std::uint64_t whole) {
    return whole > 0 ? 100 * static_cast<double>(part) / static_cast<double>(whole) : 100;
}

/// What was looked into, and all of it when it was a share.
Json describe(const backup::VerifyResult::LookedInto& looked, const repository::Share& share) {
    Json document{{"frames", looked.frames},
                  {"frames_total", looked.frames_total},
                  {"bytes", looked.bytes.count},
                  {"bytes_total", looked.bytes_total.count},
                  {"percent", percent_of(looked.bytes.count, looked.bytes_total.count)},
                  {"pages", looked.pages},
                  {"backups_without_checksums", looked.without_checksums},
                  {"sample", nullptr}};
    if (!share.whole()) document["sample"] = {{"percent", share.percent()}, {"seed", share.seed()}};
    return document;
}

std::string text_of(const backup::VerifyResult::LookedInto& looked, const repository::Share& share) {
    std::string text = share.whole() ? fmt::format("Unpacked and compared every frame: {} frames", looked.frames)
                                     : fmt::format("Read, unpacked and compared {:.2f} % of the frames' bytes: {} of {} frames, {} of {}",
                                                   percent_of(looked.bytes.count, looked.bytes_total.count), looked.frames,
                                                   looked.frames_total, base::text(looked.bytes), base::text(looked.bytes_total));
    text += fmt::format("; checked {} pages.\n", looked.pages);
    if (looked.without_checksums > 0)
        text += fmt::format("{} backup(s) are of clusters without data checksums: nothing tells whether their pages are right.\n",
                            looked.without_checksums);
    if (!share.whole()) text += fmt::format("--seed {} takes the same frames again.\n", share.seed());
    return text;
}

void print_verification(const Context& context, const backup::VerifyResult& result, const std::optional<repository::Share>& share) {
    if (context.output == Output::json) {
        auto document = json_document();
        document["ok"] = result.good();
        document["objects"] = result.objects;
        document["bytes"] = result.bytes.count;
        document["backups"] = result.backups;
        document["looked_into"] = result.looked_into ? describe(*result.looked_into, *share) : Json(nullptr);
        document["damage"] = Json::array();
        for (const auto& damage : result.damage) document["damage"].push_back({{"object", damage.object}, {"what", damage.what}});
        document["problems"] = result.problems;
        return print_json(document);
    }
    std::vector<std::string> damaged;
    for (const auto& damage : result.damage) damaged.push_back(damage.object + ": " + damage.what);
    print_lines(coloured(Colour::red, "damage   "), damaged);
    print_lines(coloured(Colour::red, "problem  "), result.problems);
    if (result.looked_into) print(text_of(*result.looked_into, *share));
    const char* good = share && !share->whole() ? "every manifest is complete and the frames looked into are authentic and right"
                       : share                  ? "every stored byte is authentic, every manifest complete, every frame right"
                                                : "every stored byte is authentic and every manifest complete";
    print(fmt::format("{} backup(s), {} objects, {}: {}\n", result.backups, result.objects, base::text(result.bytes),
                      result.good() ? good : "NOT GOOD"));
}

void verify(Context& context, const BackupCommandOptions& options) {
    const auto share = share_of(options);
    const auto work = [&] {
        const auto repository = context.open_repository();
        known_clusters(context, repository);
        const auto result =
            backup::verify(repository, context.cluster_name, options.jobs, context.cancellation, repository::kSettle, share);
        if (!result.good()) context.exit_code = 1;
        const auto message = result.good() ? std::string("all good")
                                           : fmt::format("{} damaged objects, {} problems", result.damage.size(), result.problems.size());
        if (context.output == Output::nagios)
            answer_probe(context, result.good() ? ProbeState::ok : ProbeState::critical, message,
                         fmt::format("damaged={} problems={} backups={} bytes={}B", result.damage.size(), result.problems.size(),
                                     result.backups, result.bytes.count));
        else
            print_verification(context, result, share);
        return JournalNote{.message = message,
                           .figures = result.looked_into ? compact_text(describe(*result.looked_into, *share)) : std::string("{}"),
                           .found_something = !result.good()};
    };
    with_journal(context, "backup verify", work);
}

Json describe(const backup::Status& status) {
    const auto& wal = status.wal;
    auto document = json_document();
    document["ok"] = status.broken.empty();
    document["backup"] = status.newest ? describe(status.newest->root) : Json(nullptr);
    document["age_seconds"] = json_seconds(status.age);
    document["recoverable_to"] = json_time(status.recoverable_to);
    document["server_reached"] = status.server_reached;
    document["wal"] = describe_wal_status(wal);
    document["broken"] = status.broken;
    return document;
}

void status(Context& context) {
    const auto repository = context.open_repository();
    const auto status = backup::look_at_status(repository, context.cluster(), context.config, context.cancellation);
    if (!status.broken.empty()) context.exit_code = 1;
    if (context.output == Output::json) return print_json(describe(status));
    if (context.output == Output::nagios) {
        const auto age = status.age ? std::chrono::duration_cast<std::chrono::seconds>(*status.age).count() : -1;
        return answer_probe(context, status.broken.empty() ? ProbeState::ok : ProbeState::critical,
                            status.broken.empty() ? "backups and WAL are as they should be" : status.broken.front(),
                            fmt::format("backup_age={}s wal_ready={}", age, status.wal.backlog ? status.wal.backlog->ready : 0),
                            status.broken);
    }
    Table table({"WHAT", "VALUE"});
    table.add({"newest backup", status.newest ? status.newest->root.id + ", " + base::text_duration(*status.age) + " old" : "none"});
    table.add({"recoverable to", status.recoverable_to ? base::text(*status.recoverable_to) : "unknown"});
    add_wal_status(table, status.wal);
    print(table.text());
    for (const auto& sentence : status.broken) print(coloured(Colour::red, "broken  ") + sentence + "\n");
    if (status.broken.empty()) print(coloured(Colour::green, "All objectives hold.") + "\n");
}

}  // namespace

void add_backup(CLI::App& program, Context& context) {
    auto options = std::make_shared<BackupCommandOptions>();
    auto* area = program.add_subcommand("backup", "Take, list, show and prove backups");
    area->require_subcommand(1);
    auto* verb = area->add_subcommand("run", "Take a backup of the running cluster");
    verb->add_option("--type", options->type, "full reads everything, incr what changed since the backup before it")
        ->check(CLI::IsMember({"full", "incr"}))
        ->capture_default_str();
    verb->add_option("--parent", options->parent, "Build an incremental upon this backup (default: the newest that it can be built upon)");
    verb->add_option("--audit", options->audit, "Of an incremental: read PERCENT of the unchanged blocks nevertheless, and compare them")
        ->type_name("PERCENT")
        ->check(CLI::Range(0u, 100u));
    verb->add_option("--checkpoint", options->checkpoint, "fast starts at once, spread is gentle and may take minutes")
        ->check(CLI::IsMember({"fast", "spread"}));
    verb->add_option("--label", options->label, "Label written into the backup")->capture_default_str();
    verb->add_option("--jobs", options->jobs, "Workers (default: all cores)")->check(CLI::Range(1u, 256u));
    verb->add_option("--limit", options->limit, "Megabytes per second read from the cluster, all workers together");
    verb->callback([&context, options] { context.command = [&context, options] { run(context, *options); }; });
    verb = area->add_subcommand("list", "All backups, oldest first");
    verb->add_flag("--all", options->all, "Expired ones too");
    verb->callback([&context, options] { context.command = [&context, options] { list(context, *options); }; });
    verb = area->add_subcommand("show", "One backup, whole");
    verb->add_option("id", options->id, "Its id, or an unambiguous part of it")->required();
    verb->callback([&context, options] { context.command = [&context, options] { show(context, *options); }; });
    area->add_subcommand("status", "Is the cluster protected as its objectives say? Exit 1 when not")->callback([&context] {
        context.answers_probes = true;
        context.command = [&context] { status(context); };
    });
    verb = area->add_subcommand("verify", "Authenticate every stored byte; exit 1 when anything is wrong");
    verb->add_option("--jobs", options->jobs, "Workers (default: all cores)")->check(CLI::Range(1u, 256u));
    auto* full = verb->add_flag("--full", options->full, "Unpack every frame too, and check page checksums and WAL records");
    auto* sample =
        verb->add_option("--sample", options->sample, "The same for a random share only, which alone is read: 5%")->excludes(full);
    verb->add_option("--seed", options->seed, "Take the share that this number took before")->needs(sample);
    verb->callback([&context, options] {
        context.answers_probes = true;
        context.command = [&context, options] { verify(context, *options); };
    });
}

}  // namespace howdah::cli
