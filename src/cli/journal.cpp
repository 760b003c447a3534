#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace howdah::cli {

namespace {

struct JournalOptions {
    long limit = 20;
    std::string operation;
};

void list(Context& context, const JournalOptions& options) {
    const auto folder = context.state_directory();
    const journal::Journal journal(folder);
    const auto entries = journal.list(static_cast<std::size_t>(options.limit), options.operation);
    auto document = json_document();
    document["entries"] = Json::array();
    Table table({"NUMBER", "START", "TOOK", "OPERATION", "CLUSTER", "USER", "OUTCOME", "MESSAGE"}, {true, false, true});
    for (const auto& entry : entries) {
        document["entries"].push_back({{"number", entry.number},
                                       {"operation", entry.operation},
                                       {"cluster", entry.cluster},
                                       {"repository", entry.repository},
                                       {"start", json_time(entry.start)},
                                       {"end", json_time(entry.end)},
                                       {"outcome", journal::word(entry.outcome)},
                                       {"user", entry.user},
                                       {"host", entry.host},
                                       {"message", entry.message},
                                       {"figures", Json::parse(entry.figures, nullptr, false)},
                                       {"hash", entry.hash}});
        // The sums of the current hour have no number before they are chained.
        table.add({entry.number ? std::to_string(entry.number) : "–", base::text(std::chrono::floor<std::chrono::seconds>(entry.start)),
                   entry.end ? base::text_duration(*entry.end - entry.start) : "–", entry.operation, entry.cluster, entry.user,
                   journal::word(entry.outcome), entry.message});
    }
    if (context.output == Output::json) return print_json(document);
    if (!entries.empty()) return print(table.text());
    print(options.operation.empty() ? fmt::format("The journal in {} is empty.\n", folder.string())
                                    : fmt::format("The journal in {} has no entry of operation {}.\n", folder.string(), options.operation));
}

void verify(Context& context) {
    const journal::Journal journal(context.state_directory());
    const auto problems = journal.verify();
    if (context.output == Output::json) {
        auto document = json_document();
        document["ok"] = problems.empty();
        document["problems"] = problems;
        print_json(document);
    } else {
        for (const auto& problem : problems) print(coloured(Colour::red, "problem  ") + problem + "\n");
        if (problems.empty()) print("The chain is intact.\n");
    }
    if (!problems.empty()) context.exit_code = 1;
}

}  // namespace

void add_journal(CLI::App& program, Context& context) {
    auto options = std::make_shared<JournalOptions>();
    auto* area = program.add_subcommand("journal", "What was done, when, by whom, with what result");
    area->require_subcommand(1);
    auto* verb = area->add_subcommand("list", "The newest entries");
    verb->add_option("--limit", options->limit, "How many")->check(CLI::Range(1L, 1'000'000L))->capture_default_str();
    verb->add_option("--operation", options->operation, "Only this operation, such as 'backup run'");
    verb->callback([&context, options] { context.command = [&context, options] { list(context, *options); }; });
    area->add_subcommand("verify", "Walk the chain of hashes; exit 1 when an entry was changed, removed or inserted")->callback([&context] {
        context.command = [&context] { verify(context); };
    });
}

}  // namespace howdah::cli
