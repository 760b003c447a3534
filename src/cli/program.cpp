#include "cli/program.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>

#include "base/failure.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "base/signals.hpp"
#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/exceptions.hpp"
#include "cli/exit_codes.hpp"
#include "cli/output.hpp"
#include "cli/wrong_use.hpp"

namespace howdah::cli {

namespace {

/// The parser knows an enumeration by its numbers. What it answers is what is wrong, none: nothing.
std::string output_number(std::string& word) {
    const std::map<std::string, Output> outputs{{"text", Output::text}, {"json", Output::json}, {"nagios", Output::nagios}};
    const auto found = outputs.find(word);
    if (found == outputs.end()) return fmt::format("not text, json or nagios: {}", word);
    word = std::to_string(static_cast<int>(found->second));
    return {};
}

void add_global_options(CLI::App& program, Context& context) {
    program.add_option("--config", context.config_file, "Configuration file (default: /etc/howdah/howdah.toml, then environment)")
        ->envname("HOWDAH_CONFIG");
    program.add_option("--cluster", context.cluster_name,
                       "Cluster to work on, as named in the configuration; needed when there are several");
    program.add_option("--repository", context.repository_name, "Repository to work on; needed when there are several");
    program.add_option("--output", context.output, "text for people, json for programs, nagios for probes")
        ->transform(CLI::Validator(output_number, "", "output"))
        ->option_text("text|json|nagios");
    program.add_flag("--dry-run", context.dry_run, "Say what would be done and change nothing");
    program.add_flag("-v,--verbose", context.verbose, "Log what is done");
}

enum class Areas { all, wal };

void add_areas(CLI::App& program, Context& context, Areas areas) {
    if (areas == Areas::wal)
        add_wal(program, context);
    else
        for (const auto add :
             {add_demo, add_check, add_config, add_repo, add_backup, add_wal, add_restore, add_journal, add_sample, add_scratch})
            add(program, context);
    for (auto* area : program.get_subcommands({})) {
        area->fallthrough();
        for (auto* verb : area->get_subcommands({})) verb->fallthrough();
    }
}

/// Everything the configuration decides before a command runs.
void prepare(Context& context) {
    if (context.needs_config) context.config = base::load_config(context.config_file);
    const auto level = context.verbose                       ? base::LogLevel::debug
                       : context.config.log.level == "debug" ? base::LogLevel::debug
                       : context.config.log.level == "info"  ? base::LogLevel::info
                       : context.config.log.level == "error" ? base::LogLevel::error
                                                             : base::LogLevel::warning;
    base::configure_log(level, context.config.log.format == "json" ? base::LogFormat::json : base::LogFormat::text);
    base::allow_progress(context.output == Output::text);
    if (!context.needs_config) return;
    // A name that is none is wrong even where the command would not have looked at it.
    if (!context.repository_name.empty()) context.config.repository(context.repository_name);
    context.drop_privileges();
}

void report(const Context& context, const base::Failure& failure) {
    if (context.output == Output::nagios) {
        print(fmt::format("UNKNOWN: {}\n", base::redact(failure.what())));
        return;
    }
    if (context.output == Output::json) {
        print(fmt::format("{{\"schema\":1,\"ok\":false,\"error\":{{\"message\":{},\"hint\":{},\"exit_code\":{}}}}}\n",
                          base::json_quote(base::redact(failure.what())), base::json_quote(base::redact(failure.hint())),
                          exit_code_of(context, failure)));
    }
    std::string text = fmt::format("howdah: {}\n", failure.text());
    std::fputs(base::redact(text).c_str(), stderr);
}

void refuse_deaf_probes(const Context& context) {
    if (context.output == Output::nagios && !context.answers_probes)
        throw base::Failure(base::FailureKind::usage, "this command has no answer for --output nagios",
                            "probe with backup status, backup verify, wal status, repo check or check");
}

/// A stop by signal ends as users and shells expect: by that signal.
[[noreturn]] void die_by(int signal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    std::_Exit(128 + signal);
}

int run_command(Context& context) {
    try {
        refuse_deaf_probes(context);
        prepare(context);
        // The server's own commands stay single-threaded (a fetch forks) and end by the signal that the server sends them.
        std::optional<base::SignalScope> signals;
        if (context.called_by == Caller::person) signals.emplace(context.cancellation);
        context.command();
        return context.exit_code;
    } catch (const base::Cancelled& failure) {
        report(context, failure);
        if (const int signal = base::SignalScope::received()) die_by(signal);
        return exit_code_of(context, failure);
    } catch (const std::exception& exception) {
        const auto failure = as_failure(exception, context.config);
        report(context, failure);
        return exit_code_of(context, failure);
    }
}

/// Help and version go to standard output with exit 0; a wrong use to standard error with its hint.
int end_of_parsing(const CLI::App& program, const CLI::ParseError& error, const Context& context, int argc, const char* const* argv) {
    if (error.get_exit_code() == 0) return program.exit(error);
    report(context, explain_wrong_use(program, error, argc, argv));
    return usage_exit_code(context);
}

/// None when the command line is not understood with these areas alone.
std::optional<int> run_with(Areas areas, int argc, const char* const* argv) {
    Context context;
    context.called_by = called_by_server(argc, argv);
    CLI::App program("Howdah: backup, restore and proofs for PostgreSQL", "howdah");
    program.set_version_flag("--version", "howdah " HOWDAH_VERSION);
    program.require_subcommand(1);
    program.fallthrough();
    add_global_options(program, context);
    add_areas(program, context, areas);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (areas != Areas::all) return std::nullopt;
        return end_of_parsing(program, error, context, argc, argv);
    }
    if (const auto failure = find_empty_value(program, argc, argv)) {
        report(context, *failure);
        return exit_code_of(context, *failure);
    }
    return run_command(context);
}

}  // namespace

int run_program(int argc, char** argv) {
    // The server calls once for each segment, and most of these calls take no longer than making the other areas' options would.
    if (called_by_server(argc, argv) != Caller::person)
        if (const auto code = run_with(Areas::wal, argc, argv)) return *code;
    return *run_with(Areas::all, argc, argv);
}

}  // namespace howdah::cli
