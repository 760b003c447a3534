#include "archive/setup.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "archive/archiving_settings.hpp"
#include "archive/setup_record.hpp"
#include "base/process.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;
using postgres::Session;

namespace {

constexpr int kArchiveTimeout = 300;

/// One row of pg_settings and the line of postgresql.auto.conf, if any.
struct Current {
    std::string value;  ///< reset_val: archive_command's shown value is "(disabled)" while archive_mode is off.
    std::string source;
    bool needs_restart = false;
    std::optional<std::string> written;
    std::string to_come{};  ///< The value after a restart, where only that changes it; else the value.
};

std::map<std::string, Current> read_current(Session& session) {
    static constexpr const char* kNames = "('archive_mode', 'archive_command', 'archive_library', 'archive_timeout', 'wal_level')";
    std::map<std::string, Current> all;
    const auto rows =
        session.query(fmt::format("SELECT name, reset_val, source, context = 'postmaster' FROM pg_settings WHERE name IN {}", kNames));
    for (std::size_t row = 0; row < rows.size(); ++row)
        all[std::string(rows.text(row, 0))] = {std::string(rows.text(row, 1)), std::string(rows.text(row, 2)), rows.boolean(row, 3),
                                               std::nullopt};
    const auto lines = session.query(fmt::format(
        "SELECT name, setting FROM pg_file_settings WHERE sourcefile = current_setting('data_directory') || '/postgresql.auto.conf' AND name IN {}",
        kNames));
    for (std::size_t row = 0; row < lines.size(); ++row) all[std::string(lines.text(row, 0))].written = std::string(lines.text(row, 1));
    for (auto& [name, current] : all)
        current.to_come = current.needs_restart ? value_after_restart(session, name).value_or(current.value) : current.value;
    return all;
}

base::SystemIdentifier system_of(Session& session) {
    const std::string text = session.value("SELECT system_identifier FROM pg_control_system()");
    std::int64_t value = 0;  // The server shows it as a signed bigint.
    std::from_chars(text.data(), text.data() + text.size(), value);
    return {static_cast<std::uint64_t>(value)};
}

bool is_ours(const std::string& command) {
    return command.find("howdah") != std::string::npos && command.find(" wal push ") != std::string::npos;
}

void refuse_foreign(const std::map<std::string, Current>& current) {
    const std::string& command = current.at("archive_command").value;
    if (!command.empty() && !is_ours(command))
        throw Failure(FailureKind::operation, fmt::format("archive_command is another tool's: {}", command),
                      "stop using that tool first, or give --force; --undo brings it back");
    const auto library = current.find("archive_library");
    if (library != current.end() && !library->second.value.empty())
        throw Failure(FailureKind::operation, fmt::format("archive_library is set: {}", library->second.value),
                      "stop using that module first, or give --force; --undo brings it back");
}

/// Plans one setting unless it has the value already and keeps it over a restart.
void want(SetupPlan& plan, const std::map<std::string, Current>& current, const std::string& name, const std::string& value) {
    const Current& now = current.at(name);
    if (now.value == value && now.to_come == value) return;
    if (now.source == "command line" || now.source == "override")
        throw Failure(FailureKind::operation, fmt::format("{} is fixed on the server's command line: {}", name, now.value),
                      "remove it there and restart the server");
    if (now.value == value)
        plan.notes.push_back(fmt::format("{} is {} and would be {} after the next restart", name, now.value, now.to_come));
    plan.changes.push_back({name, now.value, value, value, now.needs_restart && now.value != value});
}

/// "always" is more than "on" and is kept, also when it waits for a restart.
void plan_archive_mode(SetupPlan& plan, const std::map<std::string, Current>& current) {
    const Current& mode = current.at("archive_mode");
    if (mode.to_come != "always") return want(plan, current, "archive_mode", "on");
    if (mode.value == "off") return want(plan, current, "archive_mode", "always");
    plan.notes.push_back(mode.value == "always"
                             ? "archive_mode stays 'always'"
                             : fmt::format("archive_mode is {} and will be 'always' after the next restart", mode.value));
}

std::string doubled_percent(const std::string& text) {
    std::string result;
    for (const char c : text) result.append(c == '%' ? 2 : 1, c);
    return result;
}

void change(Session& session, const SetupPlan& plan) {
    for (const SettingChange& each : plan.changes) {
        if (each.written)
            session.query(
                fmt::format("ALTER SYSTEM SET {} = {}", session.quote_identifier(each.setting), session.quote_literal(*each.written)));
        else
            session.query(fmt::format("ALTER SYSTEM RESET {}", session.quote_identifier(each.setting)));
    }
    session.query("SELECT pg_reload_conf()");
}

}  // namespace

bool SetupPlan::needs_restart() const {
    return std::any_of(changes.begin(), changes.end(), [](const SettingChange& each) { return each.needs_restart; });
}

std::string archive_command(const SetupOptions& options) {
    std::string command = base::shell_quote(options.binary.string());
    if (!options.config_file.empty()) command += " --config " + base::shell_quote(options.config_file.string());
    command += " --cluster " + base::shell_quote(options.cluster);
    return doubled_percent(command) + " wal push \"%p\"";
}

SetupPlan plan_setup(Session& session, const SetupOptions& options) {
    const auto current = read_current(session);
    if (!options.force) refuse_foreign(current);
    SetupPlan plan;
    if (const auto& level = current.at("wal_level"); level.value == "minimal" || level.to_come == "minimal")
        want(plan, current, "wal_level", "replica");
    plan_archive_mode(plan, current);
    if (current.contains("archive_library")) want(plan, current, "archive_library", "");
    want(plan, current, "archive_command", archive_command(options));
    const int timeout = std::atoi(current.at("archive_timeout").value.c_str());
    if (timeout > 0 && timeout < kArchiveTimeout)
        plan.notes.push_back(fmt::format("archive_timeout stays {} s, which is shorter than {} s", timeout, kArchiveTimeout));
    else
        want(plan, current, "archive_timeout", std::to_string(kArchiveTimeout));
    return plan;
}

SetupPlan plan_undo(Session& session, const fs::path& state_directory, const std::string& cluster) {
    const fs::path path = setup_record_path(state_directory, cluster);
    const auto record = read_setup_record(path);
    if (!record)
        throw Failure(FailureKind::operation, fmt::format("nothing to undo for cluster {}: {} does not exist", cluster, path.string()),
                      "wal setup makes it");
    if (const auto system = system_of(session); system != record->system)
        throw Failure(
            FailureKind::configuration,
            fmt::format("{} is of system identifier {}, the server's is {}", path.string(), base::text(record->system), base::text(system)),
            "check --cluster and its conninfo");
    const auto current = read_current(session);
    SetupPlan plan;
    for (const auto& [name, old] : record->settings) {
        const Current& now = current.at(name);
        const auto given = old.given_reset ? std::nullopt : std::optional(old.given);
        if (now.written == old.written) continue;
        if (now.written != given) {
            plan.notes.push_back(fmt::format("{} was changed since and stays {}", name, now.value));
            continue;
        }
        plan.changes.push_back({name, now.value, old.in_force, old.written, now.needs_restart && now.value != old.in_force});
    }
    return plan;
}

void apply_setup(Session& session, const SetupPlan& plan, const fs::path& state_directory, const std::string& cluster) {
    if (plan.changes.empty()) return;
    const fs::path path = setup_record_path(state_directory, cluster);
    const base::SystemIdentifier system = system_of(session);
    auto record = read_setup_record(path);
    if (!record || record->system != system) record = SetupRecord{system, {}};
    const auto current = read_current(session);
    for (const SettingChange& each : plan.changes) {
        const Current& now = current.at(each.setting);
        auto [entry, added] = record->settings.emplace(each.setting, RecordedSetting{now.to_come, now.written, {}, false});
        entry->second.given = each.written.value_or("");
        entry->second.given_reset = !each.written;
    }
    write_setup_record(path, *record);
    change(session, plan);
}

void apply_undo(Session& session, const SetupPlan& plan, const fs::path& state_directory, const std::string& cluster) {
    change(session, plan);
    std::error_code error;
    fs::remove(setup_record_path(state_directory, cluster), error);
    if (error)
        throw base::SystemFailure(FailureKind::operation, "cannot remove " + setup_record_path(state_directory, cluster).string(),
                                  error.value());
}

}  // namespace howdah::archive
