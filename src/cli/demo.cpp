#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "drill/demo.hpp"

namespace howdah::cli {

namespace {

Json describe(const drill::DemoReport& report) {
    auto document = json_document();
    document["ok"] = report.ok;
    document["server_version"] = report.server_version;
    document["scale"] = report.scale;
    document["tables"] = report.tables;
    document["database_bytes"] = report.database_bytes.count;
    document["load_seconds"] = report.load_seconds;
    document["backup"] = {{"id", report.backup.id},
                          {"bytes", report.backup.bytes.count},
                          {"stored_bytes", report.backup.stored_bytes.count},
                          {"seconds", report.backup.seconds},
                          {"files", report.backup.files},
                          {"bad_pages", report.backup.bad_pages},
                          {"statements_meanwhile", report.backup.statements_meanwhile}};
    document["wal"] = {
        {"segments", report.wal.segments}, {"bytes", report.wal.bytes.count}, {"stored_bytes", report.wal.stored_bytes.count}};
    document["accident"] = {{"at", json_time(report.accident.at)},
                            {"rows_deleted", report.accident.rows_deleted},
                            {"dropped_table", report.accident.dropped_table}};
    document["restore"] = {{"target", json_time(report.restore.target)},
                           {"tables_compared", report.restore.tables_compared},
                           {"tables_equal", report.restore.tables_equal},
                           {"rows_compared", report.restore.rows_compared},
                           {"copy_seconds", report.restore.copy_seconds},
                           {"recovery_seconds", report.restore.recovery_seconds},
                           {"differences", Json::array()}};
    for (const auto& difference : report.restore.differences)
        document["restore"]["differences"].push_back(
            {{"table", difference.table}, {"expected", difference.expected}, {"found", difference.found}});
    document["workload"] = {{"statements", report.workload_statements}, {"errors", report.workload_errors}};
    document["rto_seconds"] = report.rto_seconds;
    document["rpo_seconds"] = report.rpo_seconds;
    document["rpo_loss_seconds"] = report.rpo_loss_seconds;
    return document;
}

std::string rate(base::Bytes bytes, double seconds) {
    return seconds > 0 ? fmt::format("{:.0f} MiB/s", static_cast<double>(bytes.count) / (1 << 20) / seconds) : "–";
}

/// The last screen: what was lost, what came back, and the figures a team is asked for.
void print_report(const drill::DemoReport& report) {
    const auto row = [](const std::string& name, const std::string& value) {
        return fmt::format("  {}{}{}\n", coloured(Colour::dim, name), std::string(20 - std::min<std::size_t>(19, display_width(name)), ' '),
                           value);
    };
    std::string text = "\n" + coloured(Colour::bold, "  Howdah: from an accident to a proven restore") + "\n\n";
    text += row("database", fmt::format("{} tables, {}, PostgreSQL {}.{}", report.tables, base::text(report.database_bytes),
                                        report.server_version / 10000, report.server_version % 10000));
    text += row("full backup", fmt::format("{} → {} in {:.1f} s, {}, {} statements meanwhile", base::text(report.backup.bytes),
                                           base::text(report.backup.stored_bytes), report.backup.seconds,
                                           rate(report.backup.bytes, report.backup.seconds), report.backup.statements_meanwhile));
    text += row("WAL archived", fmt::format("{} segments, {} → {}", report.wal.segments, base::text(report.wal.bytes),
                                            base::text(report.wal.stored_bytes)));
    text += row("accident", fmt::format("{}: {} rows deleted, {} dropped", base::text(report.accident.at), report.accident.rows_deleted,
                                        report.accident.dropped_table));
    text += row("restored to", base::text(report.restore.target));
    text += row("RTO", fmt::format("{:.1f} s (copy {:.1f} s, {}; recovery {:.1f} s)", report.rto_seconds, report.restore.copy_seconds,
                                   rate(report.backup.bytes, report.restore.copy_seconds), report.restore.recovery_seconds));
    text += row("RPO",
                fmt::format("{:.2f} s before the accident; {:.2f} s had the host been lost", report.rpo_seconds, report.rpo_loss_seconds));
    text += row("compared", fmt::format("{} of {} tables equal, {} rows, row counts and checksums", report.restore.tables_equal,
                                        report.restore.tables_compared, report.restore.rows_compared));
    for (const auto& difference : report.restore.differences)
        text += row("DIFFERENT", fmt::format("{}: {} expected, {} found", difference.table, difference.expected, difference.found));
    text += "\n" +
            (report.ok ? coloured(Colour::green, "  PROVEN: every row is back.")
                       : coloured(Colour::red, "  NOT PROVEN: the restored database differs.")) +
            "\n\n";
    print(text);
}

void run(Context& context, const drill::DemoOptions& options) {
    leave_root();
    drill::DemoListener listener;
    if (context.output == Output::text) {
        listener.begin = [](const std::string& step) { print("▸ " + step + "\n"); };
        listener.end = [](const std::string& outcome) { print("  " + coloured(Colour::green, "✓ ") + outcome + "\n"); };
    }
    if (context.dry_run) {
        print_intention(
            context,
            fmt::format(
                "Would start a private server, load the marketplace at scale {}, back it up, lose data, and restore it. Nothing else is touched.",
                options.scale));
        return;
    }
    const auto report = drill::run_demo(options, listener, context.cancellation);
    if (context.output == Output::json)
        print_json(describe(report));
    else
        print_report(report);
    if (!report.ok) {
        context.exit_code = 1;
        for (const auto& difference : report.restore.differences)
            std::fputs(
                fmt::format("howdah: table {} differs: {} expected, {} found\n", difference.table, difference.expected, difference.found)
                    .c_str(),
                stderr);
    }
}

}  // namespace

void add_demo(CLI::App& program, Context& context) {
    auto options = std::make_shared<drill::DemoOptions>();
    auto* area = program.add_subcommand("demo", "The main job on a private server, from nothing to a proven restore");
    area->add_option("--scale", options->scale, "Size of the marketplace; 1 is about 500 MB")
        ->check(CLI::Range(0.001, 50.0))
        ->capture_default_str();
    area->add_option("--seed", options->seed, "Same seed, same rows")->capture_default_str();
    area->callback([&context, options] {
        context.needs_config = false;
        context.command = [&context, options] { run(context, *options); };
    });
}

}  // namespace howdah::cli
