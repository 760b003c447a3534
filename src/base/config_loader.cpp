#include "base/config_loader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/config_toml.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/suggest.hpp"

namespace howdah::base {

namespace {

using schema::Objection;
using schema::Setting;

std::string joined(const std::vector<std::string>& path) {
    std::string key;
    for (const std::string& part : path) key += (key.empty() ? "" : ".") + part;
    return key;
}

std::vector<std::string> sections() {
    std::set<std::string> names;
    for (const Setting& setting : schema::settings()) names.emplace(setting.section);
    return {names.begin(), names.end()};
}

std::vector<std::string> keys_of(std::string_view section) {
    std::vector<std::string> keys;
    for (const Setting& setting : schema::settings())
        if (setting.section == section) keys.emplace_back(setting.key);
    return keys;
}

std::string listed(const std::vector<std::string>& words) {
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
    return list;
}

Objection unknown(const char* what, const std::string& word, const std::vector<std::string>& known) {
    const std::string hint = did_you_mean(word, known);
    return {fmt::format("{}: {}", what, word), hint.empty() ? "use one of " + listed(known) : hint};
}

}  // namespace

void ConfigLoader::object(const Place& place, const std::string& key, Objection objection) {
    problems.push_back({place.file, place.line, key, redact(objection.what), std::move(objection.hint)});
}

void ConfigLoader::read(const std::filesystem::path& file) {
    config.files.push_back(file);
    TomlError error;
    try {
        const auto entries = read_toml(read_file(file, {1u << 20}, FailureKind::configuration), error);
        for (const TomlEntry& entry : entries) read_key({file, entry.line}, entry.path, entry.table, entry.value);
    } catch (const Failure& failure) {
        // The place names the file already.
        std::string what = failure.what();
        if (const auto at = what.find(file.string()); at != std::string::npos) what.replace(at, file.string().size(), "it");
        return object({file, 0}, {}, {std::move(what), failure.hint()});
    }
    if (!error.what.empty())
        object({file, error.line}, {}, {"not valid TOML: " + error.what, "correct that line; texts stand in double quotes"});
}

void ConfigLoader::read_key(const Place& place, const std::vector<std::string>& path, bool table, const schema::Value& value) {
    const std::string& section = path.front();
    const std::string key = joined(path);
    const auto known = sections();
    const bool named = schema::is_named(section);
    const std::size_t tables = named ? 2 : 1;
    if (std::find(known.begin(), known.end(), section) == known.end()) {
        // What lies inside is then not looked at.
        if (path.size() == 1) object(place, key, unknown("unknown section", section, known));
        return;
    }
    if (path.size() > tables + 1) return;
    if (path.size() == tables + 1) {
        if (named && !schema::check_name(path[1]).what.empty()) return;
        if (table) return object(place, key, {"a table where a value belongs", "write key = value"});
        return read_setting(place, section, named ? path[1] : std::string(), path.back(), value);
    }
    if (!table) {
        const std::string form = named ? fmt::format("[{}.NAME]", section) : fmt::format("[{}]", section);
        return object(place, key, {"a value where a table belongs", "write it below " + form});
    }
    if (named && path.size() == 2) {
        if (Objection objection = schema::check_name(path[1]); !objection.what.empty()) return object(place, key, std::move(objection));
        first_seen_.emplace(key, place);
        if (section == "cluster")
            config.clusters[path[1]].name = path[1];
        else
            config.repositories[path[1]].name = path[1];
    }
}

void ConfigLoader::read_setting(const Place& place, const std::string& section, const std::string& name, const std::string& key,
                                const schema::Value& value) {
    const std::string full = section + "." + (name.empty() ? "" : name + ".") + key;
    for (const Setting& setting : schema::settings()) {
        if (setting.section != section || setting.key != key) continue;
        Objection objection = setting.check_in_file ? setting.check_in_file(value.text) : Objection();
        if (objection.what.empty()) objection = schema::assign(setting, config, name, value);
        if (!objection.what.empty()) return object(place, full, std::move(objection));
        config.origins[full] = fmt::format("{}:{}", place.file.string(), place.line);
        set_[full] = place;
        return;
    }
    object(place, full, unknown("unknown key", key, keys_of(section)));
}

void ConfigLoader::check_names(const std::string& key, const std::vector<std::string>& names, const std::vector<std::string>& among) {
    const auto origin = config.origins.find(key);
    const bool from_environment = origin != config.origins.end() && origin->second.starts_with("environment ");
    const Place place = from_environment ? Place() : set_[key];
    const std::string shown = from_environment ? origin->second.substr(origin->second.find(' ') + 1) : key;
    std::vector<std::string> known;
    for (const auto& [name, repository] : config.repositories) known.push_back(name);
    std::set<std::string> seen;
    for (const std::string& name : names) {
        if (!config.repositories.contains(name))
            object(place, shown, unknown("no such repository", name, known));
        else if (!seen.insert(name).second)
            object(place, shown, {fmt::format("named twice: {}", name), "name each repository once"});
        else if (!among.empty() && std::find(among.begin(), among.end(), name) == among.end())
            object(place, shown, {fmt::format("not one of wal.repositories: {}", name), "add it there, or remove it here"});
    }
}

void ConfigLoader::check_wal_repositories() {
    check_names("wal.repositories", config.wal.repositories, {});
    check_names("wal.required", config.wal.required, config.wal.repositories);
}

void ConfigLoader::finish() {
    check_wal_repositories();
    for (const auto& [name, repository] : config.repositories) {
        if (!repository.url.empty()) continue;
        const std::string key = "repository." + name + ".url";
        const bool objected =
            std::any_of(problems.begin(), problems.end(), [&](const ConfigProblem& problem) { return problem.key == key; });
        const auto place = first_seen_.find("repository." + name);
        if (!objected)
            object(place == first_seen_.end() ? Place() : place->second, key, {"missing", "add url = \"file:///absolute/path\""});
    }
}

}  // namespace howdah::base
