#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <map>
#include <memory>

#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/probe.hpp"
#include "preflight/preflight.hpp"

namespace howdah::cli {

namespace {

struct CheckOptions {
    bool no_switch = false;
    bool all = false;
};

using preflight::Severity;

Colour colour_of(Severity severity) {
    switch (severity) {
        case Severity::ok: return Colour::green;
        case Severity::notice: return Colour::dim;
        case Severity::warning: return Colour::yellow;
        case Severity::critical: return Colour::red;
    }
    return Colour::plain;
}

Json describe(const preflight::Finding& finding) {
    return {{"check", finding.check},
            {"severity", preflight::word(finding.severity)},
            {"value", finding.value},
            {"what", finding.what},
            {"advice", finding.advice}};
}

void print_findings(const std::vector<preflight::Finding>& findings, bool all) {
    for (const auto& finding : findings) {
        if (finding.severity == Severity::ok && !all) continue;
        print(fmt::format("{}  {}: {}: {}\n", coloured(colour_of(finding.severity), fmt::format("{:8}", preflight::word(finding.severity))),
                          finding.check, finding.value, finding.what));
        if (!finding.advice.empty() && finding.severity != Severity::ok)
            print("          " + coloured(Colour::dim, "HINT: " + finding.advice) + "\n");
    }
}

using Counts = std::map<Severity, std::size_t>;

std::string counted(std::size_t count, const char* one, const char* many) { return fmt::format("{} {}", count, count == 1 ? one : many); }

/// The first line names every check that is not well, the critical ones first; the lines after it say what was seen.
void answer(Context& context, const std::vector<preflight::Finding>& findings, Severity worst, Counts& counts) {
    std::string names;
    std::vector<std::string> details;
    for (const auto severity : {Severity::critical, Severity::warning})
        for (const auto& finding : findings) {
            if (finding.severity != severity) continue;
            names += (names.empty() ? "" : ", ") + finding.check;
            details.push_back(fmt::format("{} {}: {}: {}", preflight::word(severity), finding.check, finding.value, finding.what));
        }
    const auto state = worst == Severity::critical  ? ProbeState::critical
                       : worst == Severity::warning ? ProbeState::warning
                                                    : ProbeState::ok;
    const auto sentence = details.empty() ? "ready"
                                          : fmt::format("{} critical, {}: {}", counts[Severity::critical],
                                                        counted(counts[Severity::warning], "warning", "warnings"), names);
    answer_probe(context, state, sentence, fmt::format("critical={} warning={}", counts[Severity::critical], counts[Severity::warning]),
                 details);
}

void run(Context& context, const CheckOptions& options) {
    preflight::Options checking;
    checking.cluster = context.cluster();
    if (!context.config.repositories.empty()) checking.repository = context.repository_config();
    checking.rpo = context.config.objective.rpo;
    checking.backup_age = context.config.objective.backup_age;
    checking.prove_archiving = !options.no_switch && !context.dry_run;
    checking.cancellation = context.cancellation;
    const auto findings = preflight::check(checking);
    Counts counts;
    for (const auto& finding : findings) ++counts[finding.severity];
    const auto worst = preflight::worst(findings);
    if (context.output == Output::nagios) return answer(context, findings, worst, counts);
    if (worst == Severity::critical || worst == Severity::warning) context.exit_code = 1;
    if (context.output == Output::json) {
        auto document = json_document();
        document["ok"] = context.exit_code == 0;
        document["findings"] = Json::array();
        for (const auto& finding : findings) document["findings"].push_back(describe(finding));
        return print_json(document);
    }
    print_findings(findings, options.all);
    print(fmt::format("{} critical, {}, {}, {} fine\n", counts[Severity::critical],
                      counted(counts[Severity::warning], "warning", "warnings"), counted(counts[Severity::notice], "notice", "notices"),
                      counts[Severity::ok]));
}

}  // namespace

void add_check(CLI::App& program, Context& context) {
    auto options = std::make_shared<CheckOptions>();
    auto* area = program.add_subcommand("check", "Is this server, host and repository ready? Exit 1 when something should be done");
    area->add_flag("--no-switch", options->no_switch, "Do not prove archiving by switching a WAL segment");
    area->add_flag("--all", options->all, "Show what is fine too");
    area->callback([&context, options] {
        context.answers_probes = true;
        context.command = [&context, options] { run(context, *options); };
    });
}

}  // namespace howdah::cli
