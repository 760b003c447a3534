#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <sstream>

#include "base/file.hpp"
#include "cli/areas.hpp"
#include "cli/config_check.hpp"
#include "cli/context.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace howdah::cli {

namespace {

constexpr const char* kDefaultFile = "/etc/howdah/howdah.toml";

void init(Context& context) {
    const std::filesystem::path path = context.config_file.empty() ? std::filesystem::path(kDefaultFile) : context.config_file;
    if (std::filesystem::exists(path))
        throw base::Failure(base::FailureKind::configuration, fmt::format("a configuration is there already: {}", path.string()),
                            "edit it, or name another with --config");
    if (context.dry_run) {
        if (context.output != Output::json) return print(base::initial_config());
        auto document = json_document();
        document["dry_run"] = true;
        document["file"] = path.string();
        document["content"] = base::initial_config();
        return print_json(document);
    }
    if (!path.parent_path().empty()) base::create_directories_durably(path.parent_path(), 0755, base::FailureKind::configuration);
    base::write_file_durably(path, base::initial_config(), 0644, base::FailureKind::configuration);
    if (context.output == Output::json) {
        auto document = json_document();
        document["file"] = path.string();
        print_json(document);
    } else {
        print(fmt::format("Wrote {}. Set conninfo, data_directory and the repository there, then run `howdah config check`.\n",
                          path.string()));
    }
}

void check(Context& context) {
    std::vector<base::ConfigProblem> problems;
    const auto config = base::load_config(context.config_file, &problems);
    for (auto& problem : look_deeper(config)) {
        const bool known = std::any_of(problems.begin(), problems.end(), [&](const auto& each) { return each.key == problem.key; });
        if (!known) problems.push_back(std::move(problem));
    }
    if (context.output == Output::json) {
        auto document = json_document();
        document["ok"] = problems.empty();
        document["problems"] = Json::array();
        for (const auto& problem : problems)
            document["problems"].push_back({{"file", problem.file.string()},
                                            {"line", problem.line},
                                            {"key", problem.key},
                                            {"what", problem.what},
                                            {"hint", problem.hint}});
        print_json(document);
    } else {
        for (const auto& problem : problems) print(problem.text() + "\n");
        if (problems.empty())
            print(fmt::format("The configuration is sound: {} file(s), {} cluster(s), {} repositor{}.\n", config.files.size(),
                              config.clusters.size(), config.repositories.size(), config.repositories.size() == 1 ? "y" : "ies"));
    }
    if (!problems.empty()) context.exit_code = static_cast<int>(base::FailureKind::configuration);
}

/// Lines "key = value  # origin" as objects; a value in TOML reads as JSON here.
Json settings_of(const std::string& description) {
    Json settings = Json::array();
    std::istringstream lines(description);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find(" = ");
        const auto origin = line.rfind("  # ");
        if (equals == std::string::npos || origin == std::string::npos) continue;
        settings.push_back({{"key", line.substr(0, equals)},
                            {"value", Json::parse(line.substr(equals + 3, origin - equals - 3), nullptr, false)},
                            {"origin", line.substr(origin + 4)}});
    }
    return settings;
}

void show(Context& context) {
    const auto config = base::load_config(context.config_file);
    if (context.output == Output::json) {
        auto document = json_document();
        document["settings"] = settings_of(base::describe_config(config));
        print_json(document);
    } else {
        print(base::describe_config(config));
    }
}

}  // namespace

void add_config(CLI::App& program, Context& context) {
    auto* area = program.add_subcommand("config", "Write, check and show the configuration");
    area->require_subcommand(1);
    const auto verb = [&](const char* name, const char* help, void (*run)(Context&)) {
        area->add_subcommand(name, help)->callback([&context, run] {
            context.needs_config = false;
            context.command = [&context, run] { run(context); };
        });
    };
    verb("init", "Write the smallest configuration, with comments", init);
    verb("check", "Name every problem with file, line and key; exit 3 when there is one", check);
    verb("show", "Every setting in force and where it comes from", show);
}

}  // namespace howdah::cli
