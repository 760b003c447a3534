#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/config_loader.hpp"
#include "base/suggest.hpp"

namespace howdah::base {

namespace {

using schema::Setting;

constexpr std::string_view kPrefix = "HOWDAH_";

/// Names that the program and its tests use and that are no settings.
bool is_reserved(std::string_view variable) {
    constexpr std::array<std::string_view, 7> kReserved = {"HOWDAH_PG_BIN",        "HOWDAH_FAULT", "HOWDAH_GUARDS_OFF", "HOWDAH_CONFIG",
                                                           "HOWDAH_VERSION_TESTS", "HOWDAH_JOBS",  "HOWDAH_USER"};
    return variable.starts_with("HOWDAH_TEST_") || std::find(kReserved.begin(), kReserved.end(), variable) != kReserved.end();
}

std::string upper(std::string_view text) {
    std::string result;
    for (const char c : text) result += c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

std::string lower(std::string_view text) {
    std::string result;
    for (const char c : text) result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

std::string variable_of(const Setting& setting, std::string_view name) {
    const std::string middle = name.empty() ? std::string() : upper(name) + "_";
    return std::string(kPrefix) + upper(setting.section) + "_" + middle + upper(setting.key);
}

/// The NAME in HOWDAH_SECTION_NAME_KEY; empty when the variable is not of that form.
std::string_view name_in(std::string_view variable, const Setting& setting) {
    const std::string before = std::string(kPrefix) + upper(setting.section) + "_";
    const std::string after = "_" + upper(setting.key);
    if (!variable.starts_with(before) || !variable.ends_with(after) || variable.size() <= before.size() + after.size()) return {};
    return variable.substr(before.size(), variable.size() - before.size() - after.size());
}

/// Every variable that would be understood, with the names that exist and with MAIN.
std::vector<std::string> known_variables(const Config& config) {
    std::vector<std::string> known;
    for (const Setting& setting : schema::settings()) {
        known.push_back(variable_of(setting, schema::is_named(setting.section) ? "main" : ""));
        if (setting.section == "cluster")
            for (const auto& [name, cluster] : config.clusters) known.push_back(variable_of(setting, name));
        if (setting.section == "repository")
            for (const auto& [name, repository] : config.repositories) known.push_back(variable_of(setting, name));
    }
    return known;
}

}  // namespace

/// The entry that a NAME in the environment means: the one whose name reads so, or a new one in lower case.
std::string ConfigLoader::name_for(std::string_view section, const std::string& wanted) const {
    const auto find = [&wanted](const auto& entries) {
        const auto same =
            std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return upper(entry.first) == upper(wanted); });
        return same == entries.end() ? lower(wanted) : same->first;
    };
    return section == "cluster" ? find(config.clusters) : find(config.repositories);
}

void ConfigLoader::read_variable(const std::string& variable, const std::string& value) {
    for (const Setting& setting : schema::settings()) {
        const bool named = schema::is_named(setting.section);
        const std::string_view wanted = named ? name_in(variable, setting) : std::string_view();
        if (named ? wanted.empty() : variable_of(setting, "") != variable) continue;
        const std::string name = named ? name_for(setting.section, std::string(wanted)) : std::string();
        schema::Objection objection = named ? schema::check_name(name) : schema::Objection();
        if (objection.what.empty()) objection = schema::assign(setting, config, name, {schema::Value::Kind::word, value, {}});
        if (!objection.what.empty()) return object({}, variable, std::move(objection));
        config.origins[std::string(setting.section) + "." + (named ? name + "." : "") + std::string(setting.key)] =
            "environment " + variable;
        return;
    }
    std::string hint = did_you_mean(variable, known_variables(config));
    object({}, variable, {"unknown variable", hint.empty() ? "remove it; `howdah config show` lists the settings" : hint});
}

void ConfigLoader::read_environment(const std::vector<std::string>& environment) {
    std::string database_url;
    for (const std::string& pair : environment) {
        const auto mark = pair.find('=');
        if (mark == std::string::npos) continue;
        const std::string variable = pair.substr(0, mark);
        if (variable == "DATABASE_URL") database_url = pair.substr(mark + 1);
        if (variable.starts_with(kPrefix) && !is_reserved(variable)) read_variable(variable, pair.substr(mark + 1));
    }
    const auto main = config.clusters.find("main");
    const bool wanted = config.clusters.empty() || (main != config.clusters.end() && main->second.conninfo.empty());
    if (database_url.empty() || !wanted) return;
    config.clusters["main"].name = "main";
    config.clusters["main"].conninfo = database_url;
    config.origins["cluster.main.conninfo"] = "environment DATABASE_URL";
}

}  // namespace howdah::base
