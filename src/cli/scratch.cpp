#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "cli/areas.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "postgres/detached.hpp"
#include "postgres/scratch.hpp"

namespace howdah::cli {

namespace {

struct ScratchCommandOptions {
    std::string directory;
    bool tcp = false;
};

std::filesystem::path registry(const Context& context) { return context.state_directory() / "scratch-servers"; }

void start(Context& context, const ScratchCommandOptions& options) {
    postgres::ScratchOptions scratch;
    scratch.directory = std::filesystem::absolute(options.directory);
    if (context.dry_run)
        return print_intention(context, fmt::format("Would make and start a private server in {}.", scratch.directory.string()));
    scratch.detached = true;
    scratch.listen_tcp = options.tcp;
    leave_root();
    const postgres::ScratchServer server(scratch);
    postgres::register_detached(server, registry(context));
    auto document = json_document();
    document["directory"] = options.directory;
    document["conninfo"] = server.conninfo();
    document["port"] = server.port();
    if (context.output == Output::json) return print_json(document);
    print(fmt::format("A private PostgreSQL {} runs in {}.\npsql \"{}\"\nEnd it with: howdah scratch stop {}\n",
                      postgres::program_version(server.programs()), options.directory, server.conninfo(), options.directory));
}

void stop(Context& context, const ScratchCommandOptions& options) {
    const auto directory = std::filesystem::absolute(options.directory);
    if (context.dry_run)
        return print_intention(context, fmt::format("Would stop the scratch server in {} and remove its data.", directory.string()));
    leave_root();
    postgres::stop_detached(directory, registry(context));
    if (context.output != Output::json) return print("Stopped and removed.\n");
    auto document = json_document();
    document["ok"] = true;
    document["directory"] = directory.string();
    print_json(document);
}

void list(Context& context) {
    auto document = json_document();
    document["servers"] = Json::array();
    Table table({"DIRECTORY", "CONNINFO"});
    leave_root();
    for (const auto& server : postgres::list_detached(registry(context))) {
        document["servers"].push_back(
            {{"directory", server.directory.string()}, {"conninfo", server.conninfo}, {"running", server.running}});
        table.add({server.directory.string(), server.running ? server.conninfo : "not running"});
    }
    if (context.output == Output::json) return print_json(document);
    print(table.empty() ? "No scratch servers.\n" : table.text());
}

}  // namespace

void add_scratch(CLI::App& program, Context& context) {
    auto options = std::make_shared<ScratchCommandOptions>();
    auto* area = program.add_subcommand("scratch", "Private throw-away PostgreSQL servers");
    area->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, std::function<void()> command) {
        auto* verb = area->add_subcommand(name, help);
        verb->callback([&context, command = std::move(command)] {
            context.needs_config = false;
            context.command = command;
        });
        return verb;
    };
    auto* verb = add("start", "Make and start one; it runs until it is stopped", [&context, options] { start(context, *options); });
    verb->add_option("directory", options->directory, "Where its data goes")->required();
    verb->add_flag("--tcp", options->tcp, "Listen on 127.0.0.1 too, with a password");
    verb = add("stop", "Stop one and remove its data", [&context, options] { stop(context, *options); });
    verb->add_option("directory", options->directory, "Its directory")->required();
    add("list", "Those that were started", [&context] { list(context); });
}

}  // namespace howdah::cli
