#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/probe.hpp"
#include "repository/backups.hpp"
#include "repository/gc.hpp"
#include "repository/initialise.hpp"
#include "repository/repair.hpp"

namespace howdah::cli {

namespace {

struct RepoOptions {
    bool no_encryption = false;
    std::string grace = "24h";
};

void init(Context& context, const RepoOptions& options) {
    const auto& config = context.repository_config();
    if (context.dry_run) {
        repository::check_initialise(config, !options.no_encryption);
        print_intention(context, fmt::format("Would make a repository at {}, {}.", config.url,
                                             options.no_encryption ? "without encryption" : "encrypted"));
        return;
    }
    with_journal(context, "repo init", [&] {
        const auto made = repository::initialise(config, !options.no_encryption);
        if (context.output == Output::json) {
            auto document = json_document();
            document["id"] = made.id;
            document["url"] = config.url;
            document["encrypted"] = made.encrypted;
            document["key_file"] = made.key_file.string();
            document["key_file_made"] = made.key_file_made;
            print_json(document);
            return JournalNote{.message = fmt::format("made repository {}", made.id)};
        }
        print(fmt::format("Made the repository {} at {}.\n", made.id, config.url));
        if (!made.encrypted)
            print("It is not encrypted: whoever can read it can read the data.\n");
        else if (!made.key_file.empty())
            print(fmt::format(
                "{} {}\nWithout this key file nobody, you included, can ever read a backup again: copy it now to a place that does not burn "
                "down with this host.\n",
                made.key_file_made ? "Made the key file" : "Used the key file that was there:", made.key_file.string()));
        else
            print("Without the passphrase nobody, you included, can ever read a backup again.\n");
        return JournalNote{.message = fmt::format("made repository {}", made.id)};
    });
}

void info(Context& context) {
    const auto repository = context.open_repository();
    std::uint64_t objects = 0;
    base::Bytes bytes;
    repository.store().list({}, [&](const storage::Listed& object) {
        ++objects;
        bytes += object.size;
    });
    auto document = json_document();
    document["id"] = repository.id();
    document["url"] = repository.store().location();
    document["encrypted"] = repository.encrypted();
    document["objects"] = objects;
    document["bytes"] = bytes.count;
    document["clusters"] = Json::array();
    for (const auto& area : repository.areas()) {
        const auto backups = repository::list_backups(repository, area.cluster());
        const auto count =
            std::count_if(backups.begin(), backups.end(), [&](const auto& backup) { return backup.area.prefix() == area.prefix(); });
        document["clusters"].push_back({{"cluster", area.cluster()}, {"system_identifier", base::text(area.system())}, {"backups", count}});
    }
    if (context.output == Output::json) return print_json(document);
    print(fmt::format("Repository {} at {}\n{}, {} objects, {}\n", repository.id(), repository.store().location(),
                      repository.encrypted() ? "encrypted (AES-256-GCM)" : "not encrypted", objects, base::text(bytes)));
    Table table({"CLUSTER", "SYSTEM IDENTIFIER", "BACKUPS"}, {false, false, true});
    for (const auto& cluster : document["clusters"])
        table.add({cluster["cluster"], cluster["system_identifier"], std::to_string(cluster["backups"].get<long>())});
    if (!table.empty()) print("\n" + table.text());
}

void check(Context& context) {
    const auto repository = context.open_repository();
    const auto result = repository::check_repository(repository, context.cancellation);
    if (context.output == Output::nagios)
        return answer_probe(context, result.problems.empty() ? ProbeState::ok : ProbeState::critical,
                            result.problems.empty()
                                ? "the repository is whole"
                                : fmt::format("{} problem(s), the first: {}", result.problems.size(), result.problems.front()),
                            fmt::format("problems={} objects={} bytes={}B leftover_bytes={}B", result.problems.size(), result.objects,
                                        result.bytes.count, result.leftover_bytes.count));
    if (context.output == Output::json) {
        auto document = json_document();
        document["ok"] = result.problems.empty();
        document["problems"] = result.problems;
        document["leftovers"] = result.leftovers;
        document["leftover_bytes"] = result.leftover_bytes.count;
        document["objects"] = result.objects;
        document["bytes"] = result.bytes.count;
        print_json(document);
    } else {
        print_lines(coloured(Colour::red, "problem   "), result.problems);
        print_lines(coloured(Colour::yellow, "leftover  "), result.leftovers);
        print(fmt::format("{} objects, {}; {} problem(s), {} leftover(s) of {}{}\n", result.objects, base::text(result.bytes),
                          result.problems.size(), result.leftovers.size(), base::text(result.leftover_bytes),
                          result.leftovers.empty() ? "" : ": `howdah repo gc` frees them"));
    }
    if (!result.problems.empty()) context.exit_code = 1;
}

void gc(Context& context, const RepoOptions& options) {
    const auto grace = base::parse_duration(options.grace);
    if (!grace)
        throw base::Failure(base::FailureKind::usage, fmt::format("--grace is not a duration: {}", options.grace),
                            "write 0, 30min, 24h or 7d");
    const auto repository = context.open_repository();
    const auto work = [&] {
        const auto result = repository::collect_garbage(
            repository, {.grace = std::chrono::ceil<std::chrono::seconds>(*grace), .dry_run = context.dry_run}, context.cancellation);
        if (context.output == Output::json) {
            auto document = json_document();
            document["dry_run"] = context.dry_run;
            document["doomed"] = result.doomed;
            document["deleted"] = result.deleted;
            document["freed_bytes"] = result.freed.count;
            document["compacted"] = result.compacted;
            document["leftover_bytes"] = result.leftovers.count;
            document["links_pruned"] = result.links_pruned;
            document["names"] = result.names;
            print_json(document);
        } else {
            if (context.verbose || context.dry_run)
                for (const auto& name : result.names) print((context.dry_run ? "would delete " : "deleted ") + name + "\n");
            print(fmt::format(
                "{} object(s) {}, {} freed; {} newly doomed, deleted after {}; {} of leftovers; {} pack(s) {} without unneeded frames; {} old links pruned\n",
                result.deleted, context.dry_run ? "would be deleted" : "deleted", base::text(result.freed), result.doomed,
                base::text_duration(*grace), base::text(result.leftovers), result.compacted,
                context.dry_run ? "would be rewritten" : "rewritten", result.links_pruned));
        }
        return JournalNote{.message = fmt::format("deleted {} objects, {}", result.deleted, base::text(result.freed))};
    };
    if (context.dry_run)
        work();
    else
        with_journal(context, "repo gc", work);
}

void repair(Context& context) {
    const auto repository = context.open_repository();
    const auto work = [&] {
        const auto result = repository::repair_chains(repository, context.dry_run, context.cancellation);
        if (context.output == Output::json) {
            auto document = json_document();
            document["dry_run"] = context.dry_run;
            document["given_up"] = Json::array();
            for (const auto& damage : result.given_up) document["given_up"].push_back({{"object", damage.object}, {"what", damage.what}});
            document["events_lost"] = result.events_lost;
            print_json(document);
        } else {
            for (const auto& damage : result.given_up)
                print((context.dry_run ? "would give up " : "gave up ") + damage.object + ": " + damage.what + "\n");
            print(result.given_up.empty() ? std::string("No chain of the repository is damaged.\n")
                                          : fmt::format("{} link(s) {}; `howdah backup verify` tells what else is missing\n",
                                                        result.given_up.size(), context.dry_run ? "would be given up" : "given up"));
            if (result.events_lost)
                print(
                    "An event was lost, which may have been a pin: backups that had expired are held until they are unpinned or expire again.\n");
        }
        std::string names;
        for (const auto& damage : result.given_up) names += " " + damage.object;
        return JournalNote{.message = result.given_up.empty() ? std::string("nothing to repair") : "gave up" + names};
    };
    if (context.dry_run)
        work();
    else
        with_journal(context, "repo repair", work);
}

}  // namespace

void add_repo(CLI::App& program, Context& context) {
    auto options = std::make_shared<RepoOptions>();
    auto* area = program.add_subcommand("repo", "The repository: make it, look at it, free what nothing needs");
    area->require_subcommand(1);
    auto* verb = area->add_subcommand("init", "Make a repository, encrypted unless told otherwise");
    verb->add_flag("--no-encryption", options->no_encryption, "Store plain bytes with checksums against accidents only");
    verb->callback([&context, options] { context.command = [&context, options] { init(context, *options); }; });
    area->add_subcommand("info", "What is in it")->callback([&context] { context.command = [&context] { info(context); }; });
    area->add_subcommand("check", "Problems (exit 1) and leftovers of interrupted runs")->callback([&context] {
        context.answers_probes = true;
        context.command = [&context] { check(context); };
    });
    area->add_subcommand("repair", "Give up damaged links of ledger, leases and events, so that work can go on")->callback([&context] {
        context.command = [&context] { repair(context); };
    });
    verb = area->add_subcommand("gc", "Free objects that no kept backup needs");
    verb->add_option("--grace", options->grace,
                     "How long an object stays after it was found unneeded, and a temporary file after the last write (0 frees at once)")
        ->capture_default_str();
    verb->callback([&context, options] { context.command = [&context, options] { gc(context, *options); }; });
}

}  // namespace howdah::cli
