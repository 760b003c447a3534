#include "base/config.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/config_loader.hpp"
#include "base/config_schema.hpp"

extern char** environ;

namespace howdah::base {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDefaultFile = "/etc/howdah/howdah.toml";

template <typename Entries>
const auto& chosen(const Entries& entries, const std::string& name, const std::string& kind) {
    if (name.empty() && entries.size() == 1) return entries.begin()->second;
    if (const auto found = entries.find(name); found != entries.end()) return found->second;
    std::string names;
    for (const auto& entry : entries) names += (names.empty() ? "" : ", ") + entry.first;
    if (entries.empty())
        throw Failure(FailureKind::configuration, fmt::format("no {} is configured", kind),
                      fmt::format("write one with `howdah config init` or set HOWDAH_{}",
                                  kind == "cluster" ? "CLUSTER_MAIN_CONNINFO" : "REPOSITORY_MAIN_URL"));
    if (name.empty())
        throw Failure(FailureKind::usage, fmt::format("no {} was named: there are {}", kind, names), fmt::format("add --{} NAME", kind));
    throw Failure(FailureKind::configuration, fmt::format("no such {}: {}", kind, name), fmt::format("configured: {}", names));
}

std::vector<fs::path> files_beside(const fs::path& file, std::vector<ConfigProblem>& problems) {
    const fs::path folder = file.parent_path() / "conf.d";
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().extension() == ".toml") files.push_back(entry->path());
    if (error && error != std::errc::no_such_file_or_directory)
        problems.push_back(
            {folder, 0, {}, "cannot list " + folder.string() + ": " + error.message(), "give the user that runs this command access"});
    std::sort(files.begin(), files.end());
    return files;
}

/// Calls `work(setting, name)` for every setting of every section and name there is.
template <typename Work>
void for_each_setting(const Config& config, Work work) {
    const auto section_of_names = [&](std::string_view section, const auto& entries) {
        for (const auto& entry : entries)
            for (const schema::Setting& setting : schema::settings())
                if (setting.section == section) work(setting, entry.first);
    };
    section_of_names("cluster", config.clusters);
    section_of_names("repository", config.repositories);
    for (const schema::Setting& setting : schema::settings())
        if (!schema::is_named(setting.section)) work(setting, std::string());
}

}  // namespace

const ClusterConfig& Config::cluster(const std::string& name) const { return chosen(clusters, name, "cluster"); }
const RepositoryConfig& Config::repository(const std::string& name) const { return chosen(repositories, name, "repository"); }

std::vector<RepositoryConfig> Config::wal_repositories(const std::string& name) const {
    if (!name.empty() || repositories.empty()) return {repository(name)};
    std::vector<RepositoryConfig> chosen;
    for (const std::string& each : wal.repositories) chosen.push_back(repository(each));
    if (chosen.empty())
        for (const auto& [each, repository] : repositories) chosen.push_back(repository);
    return chosen;
}

std::string ConfigProblem::text() const {
    std::string place = file.empty() ? "environment" : file.string();
    if (line > 0) place += fmt::format(":{}", line);
    if (!key.empty()) place += ": " + key;
    return fmt::format("{}: {}{}", place, what, hint.empty() ? "" : "\nHINT: " + hint);
}

Config load_config(const fs::path& file, std::vector<ConfigProblem>* problems) {
    ConfigLoader loader;
    const fs::path main_file = file.empty() ? fs::path(kDefaultFile) : file;
    std::error_code error;
    const bool absent = fs::status(main_file, error).type() == fs::file_type::not_found;
    if (absent && !file.empty())
        throw Failure(FailureKind::configuration, "no such configuration file: " + file.string(),
                      "write it with `howdah config init` or name another with --config");
    if (!absent) loader.read(main_file);
    for (const fs::path& path : files_beside(main_file, loader.problems)) loader.read(path);
    std::vector<std::string> environment;
    for (char** entry = environ; entry && *entry; ++entry) environment.emplace_back(*entry);
    std::sort(environment.begin(), environment.end());
    loader.read_environment(environment);
    loader.finish();

    if (problems) {
        *problems = std::move(loader.problems);
    } else if (!loader.problems.empty()) {
        ConfigProblem first = loader.problems.front();
        const std::string hint = std::exchange(first.hint, {});
        throw Failure(FailureKind::configuration, "configuration failed: " + first.text(),
                      hint.empty() ? "`howdah config check` lists every problem" : hint);
    }
    return std::move(loader.config);
}

std::string describe_config(const Config& config) {
    std::string description;
    for_each_setting(config, [&](const schema::Setting& setting, const std::string& name) {
        const std::string key = fmt::format("{}.{}{}", setting.section, name.empty() ? "" : name + ".", setting.key);
        const auto origin = config.origins.find(key);
        description += fmt::format("{} = {}  # {}\n", key, schema::shown(setting, config, name),
                                   origin == config.origins.end() ? "default" : origin->second);
    });
    return description;
}

std::string initial_config() {
    std::string text =
        "# Howdah's configuration. `howdah config check` names every mistake, `howdah config show` every setting there is.\n";
    std::string_view section;
    for (const schema::Setting& setting : schema::settings()) {
        if (setting.initial.empty()) continue;
        if (setting.section != section)
            text += fmt::format("\n[{}{}]\n", setting.section, schema::is_named(setting.section) ? ".main" : "");
        section = setting.section;
        text += fmt::format("# {}\n{} = {}\n", setting.meaning, setting.key, setting.initial);
    }
    return text;
}

}  // namespace howdah::base
