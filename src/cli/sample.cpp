#include <fmt/core.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "base/log.hpp"
#include "base/process.hpp"
#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "client/conninfo.hpp"
#include "sample/marketplace.hpp"
#include "sample/workload.hpp"

namespace howdah::cli {

namespace {

struct SampleOptions {
    std::string conninfo, duration = "10s";
    sample::LoadOptions load;
    sample::WorkloadOptions workload;
    bool writes = true;
};

/// The server to use, which must have been named: the only cluster configured may be a live one. As root, becomes its user.
std::string chosen_conninfo(const Context& context, const SampleOptions& options) {
    if (options.conninfo.empty() && context.cluster_name.empty())
        throw base::Failure(base::FailureKind::usage, "no server was named: the sample writes tables of its own",
                            "give --conninfo, or --cluster NAME for a configured one; `howdah scratch start DIR` makes a private server");
    if (options.conninfo.empty()) return context.cluster().conninfo;
    const auto owner = ::geteuid() == 0 ? socket_owner(options.conninfo) : std::nullopt;
    if (owner) base::become(*owner);
    return options.conninfo;
}

/// "database shop of the server at /run/postgresql, port 5432".
std::string describe_target(const std::string& conninfo) {
    const auto read = read_conninfo(conninfo, {});
    if (!read)
        throw base::Failure(base::FailureKind::configuration,
                            fmt::format("reading the connection string: {}", base::redact(read.error().message())),
                            "write it like \"host=/run/postgresql dbname=shop\"");
    const auto& place = read->hosts.front();
    const auto user = read->user.empty() ? base::current_user().name : read->user;
    return fmt::format("database {} of the server at {}, port {}", read->database.empty() ? user : read->database,
                       place.host.empty() ? place.address : place.host, place.port);
}

/// One line drawn over and over on a terminal; none elsewhere.
sample::LoadProgress line_of_progress(const Context& context) {
    if (context.output != Output::text || !::isatty(STDERR_FILENO)) return {};
    return [](std::size_t done, std::size_t total, std::string_view step) {
        std::fputs(fmt::format("\r\033[K{}", done == total ? std::string() : fmt::format("loading  step {}  {}", done + 1, step)).c_str(),
                   stderr);
    };
}

void load(Context& context, const SampleOptions& options) {
    const auto conninfo = chosen_conninfo(context, options);
    if (context.dry_run)
        return print_intention(
            context, fmt::format("Would load the marketplace at scale {} into {}.", options.load.scale, describe_target(conninfo)));
    const auto loaded = sample::load(conninfo, options.load, context.cancellation, line_of_progress(context));
    if (context.output == Output::json) {
        auto document = json_document();
        document["tables"] = loaded.tables;
        document["foreign_keys"] = loaded.foreign_keys;
        document["bytes"] = loaded.size.count;
        document["seconds"] = json_seconds(loaded.took);
        return print_json(document);
    }
    print(fmt::format("Loaded {} tables, {} foreign keys, {} in {}.\n", loaded.tables, loaded.foreign_keys, base::text(loaded.size),
                      base::text_duration(loaded.took)));
}

void run(Context& context, SampleOptions options) {
    const auto duration = base::parse_duration(options.duration);
    if (!duration)
        throw base::Failure(base::FailureKind::usage, fmt::format("--duration is not a duration: {}", options.duration),
                            "write 30s or 5min");
    const auto conninfo = chosen_conninfo(context, options);
    if (context.dry_run)
        return print_intention(context, fmt::format("Would run the workload on {} connection(s) to {}.", options.workload.connections,
                                                    describe_target(conninfo)));
    options.workload.duration = std::chrono::ceil<std::chrono::milliseconds>(*duration);
    options.workload.mix = options.writes ? sample::Mix::all : sample::Mix::reads;
    const auto result = sample::run_workload(conninfo, options.workload, context.cancellation);
    auto document = json_document();
    document["statements"] = result.all.count();
    document["errors"] = result.errors;
    document["seconds"] = std::chrono::duration<double>(result.took).count();
    document["by_statement"] = Json::array();
    Table table({"STATEMENT", "CALLS", "ERRORS", "MEDIAN", "P95", "P99", "MAX"}, {false, true, true, true, true, true, true});
    for (const auto& figures : result.statements) {
        const auto& latencies = figures.latencies;
        document["by_statement"].push_back({{"name", figures.name},
                                            {"calls", latencies.count()},
                                            {"errors", figures.errors},
                                            {"p50_us", latencies.quantile(0.5).count()},
                                            {"p95_us", latencies.quantile(0.95).count()},
                                            {"p99_us", latencies.quantile(0.99).count()},
                                            {"max_us", latencies.maximum().count()}});
        if (latencies.count() + figures.errors)
            table.add({figures.name, std::to_string(latencies.count()), std::to_string(figures.errors),
                       base::text_duration(latencies.quantile(0.5)), base::text_duration(latencies.quantile(0.95)),
                       base::text_duration(latencies.quantile(0.99)), base::text_duration(latencies.maximum())});
    }
    if (result.errors) context.exit_code = 1;
    if (context.output == Output::json) return print_json(document);
    print(table.text() + fmt::format("\n{} statements in {:.1f} s, {} errors{}\n", result.all.count(),
                                     std::chrono::duration<double>(result.took).count(), result.errors,
                                     result.errors ? "; the first: " + result.first_error : ""));
}

}  // namespace

void add_sample(CLI::App& program, Context& context) {
    auto options = std::make_shared<SampleOptions>();
    auto* area = program.add_subcommand("sample", "The sample marketplace: a multi-tenant shop to try things on");
    area->require_subcommand(1);
    const auto common = [&](CLI::App* verb) {
        verb->add_option("--conninfo", options->conninfo, "Database to use; --cluster NAME instead takes that configured cluster's");
    };
    auto* verb = area->add_subcommand("load", "Make its tables and rows");
    common(verb);
    verb->add_option("--scale", options->load.scale, "1 is about 500 MB")->check(CLI::Range(0.001, 50.0))->capture_default_str();
    verb->add_option("--seed", options->load.seed, "Same seed and scale, same rows")->capture_default_str();
    verb->add_option("--jobs", options->load.jobs, "Connections")->check(CLI::Range(1u, 16u))->capture_default_str();
    verb->callback([&context, options] {
        context.needs_config = options->conninfo.empty();
        context.command = [&context, options] { load(context, *options); };
    });
    verb = area->add_subcommand("run", "Use it: statements chosen by weight");
    common(verb);
    verb->add_option("--duration", options->duration, "How long")->capture_default_str();
    verb->add_option("--connections", options->workload.connections, "How many")->check(CLI::Range(1u, 64u))->capture_default_str();
    verb->add_option("--rate", options->workload.rate, "Statements a second over all connections; 0: as fast as they go")
        ->capture_default_str();
    verb->add_option("--seed", options->workload.seed, "Same seed, same statements")->capture_default_str();
    verb->add_flag("!--read-only", options->writes, "Only statements that read");
    verb->callback([&context, options] {
        context.needs_config = options->conninfo.empty();
        context.command = [&context, options] { run(context, *options); };
    });
}

}  // namespace howdah::cli
