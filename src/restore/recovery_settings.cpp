#include "restore/recovery_settings.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/process.hpp"
#include "postgres/config_text.hpp"

namespace howdah::restore {

namespace {

/// Recovery and standby settings of the source that would lead the restored server astray.
constexpr std::array<std::string_view, 15> kRecoveryNames{
    "restore_command",          "recovery_target",      "recovery_target_time",      "recovery_target_xid",
    "recovery_target_name",     "recovery_target_lsn",  "recovery_target_inclusive", "recovery_target_action",
    "recovery_target_timeline", "recovery_end_command", "archive_cleanup_command",   "primary_conninfo",
    "primary_slot_name",        "promote_trigger_file", "recovery_min_apply_delay"};

/// Those that are written empty, so that a value in postgresql.conf or a file that it includes counts for nothing.
constexpr std::array<std::string_view, 9> kClearedNames{"recovery_target",         "recovery_target_time", "recovery_target_xid",
                                                        "recovery_target_name",    "recovery_target_lsn",  "recovery_end_command",
                                                        "archive_cleanup_command", "primary_conninfo",     "primary_slot_name"};

constexpr std::string_view kReplaced = "# before the restore: ";
constexpr std::string_view kWritten = "# written by howdah restore; recovery removes recovery.signal when it has ended\n";

template <typename... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

/// "2026-11-21 01:02:03.456789+00": while it reads its files the server knows no zone by a letter.
std::string server_time(base::Timestamp time) {
    auto text = base::text(time);
    text.replace(text.find('T'), 1, " ");
    text.replace(text.find('Z'), 1, "+00");
    return text;
}

std::string doubled_percent(const std::string& word) {
    std::string out;
    for (const char c : word) out += c == '%' ? std::string("%%") : std::string(1, c);
    return out;
}

}  // namespace

std::string restore_command(const FetchCommand& command) {
    std::string text;
    for (const auto& word : command.words) {
        if (!text.empty()) text += ' ';
        // PostgreSQL replaces %f by a name of letters and digits and %p by a path below pg_wal: both are safe inside double quotes.
        text += word == "%f" || word == "%p" ? "\"" + word + "\"" : doubled_percent(base::shell_quote(word));
    }
    return text;
}

std::map<std::string, std::string> recovery_settings(const Plan& plan, const FetchCommand& command, bool promote) {
    std::map<std::string, std::string> settings{{"restore_command", restore_command(command)},
                                                {"recovery_target_action", promote ? "promote" : "pause"},
                                                {"recovery_target_inclusive", "on"}};
    const bool pinned = base::guard("T21.pin_timeline");
    settings["recovery_target_timeline"] = pinned ? base::text(plan.timeline) : "latest";
    std::visit(Overloaded{[](const ToLatest&) {}, [&](const ToBackupEnd&) { settings["recovery_target"] = "immediate"; },
                          [&](const ToTime& to) { settings["recovery_target_time"] = server_time(to.time); },
                          [&](const ToLsn& to) { settings["recovery_target_lsn"] = base::text(to.lsn); },
                          [&](const ToName& to) { settings["recovery_target_name"] = to.name; },
                          [&](const ToXid& to) { settings["recovery_target_xid"] = std::to_string(to.xid.value); }},
               plan.target);
    return settings;
}

std::map<std::string, std::string> standby_settings(const FetchCommand& command, const std::string& primary) {
    std::map<std::string, std::string> settings{{"restore_command", restore_command(command)}, {"recovery_target_timeline", "latest"}};
    if (!primary.empty()) settings["primary_conninfo"] = primary;
    return settings;
}

SettingList cleared_settings(int server_version) {
    SettingList settings;
    for (const auto name : kClearedNames) settings.emplace_back(name, "");
    settings.emplace_back("recovery_min_apply_delay", "0");
    if (server_version < 160000) settings.emplace_back("promote_trigger_file", "");
    return settings;
}

std::map<std::string, std::string> demanded_settings(const postgres::ControlFile& control) {
    return {{"max_connections", std::to_string(control.max_connections)},
            {"max_worker_processes", std::to_string(control.max_worker_processes)},
            {"max_wal_senders", std::to_string(control.max_wal_senders)},
            {"max_prepared_transactions", std::to_string(control.max_prepared_transactions)},
            {"max_locks_per_transaction", std::to_string(control.max_locks_per_transaction)}};
}

std::string setting_line(const std::string& name, const std::string& value) {
    std::string quoted;
    for (const char c : value) quoted += c == '\'' ? std::string("''") : c == '\\' ? std::string("\\\\") : std::string(1, c);
    return fmt::format("{} = '{}'\n", name, quoted);
}

void write_recovery(const std::filesystem::path& data_directory, const std::map<std::string, std::string>& settings, int server_version,
                    const ClusterModes& modes, Role role) {
    const auto path = data_directory / "postgresql.auto.conf";
    std::istringstream old(base::read_file_if_exists(path).value_or(std::string()));
    std::string text;
    for (std::string line; std::getline(old, line);) {
        const auto name = postgres::parse_setting_line(line).value_or(postgres::SettingLine{}).name;
        const bool replaced =
            std::find(kRecoveryNames.begin(), kRecoveryNames.end(), name) != kRecoveryNames.end() || settings.contains(name);
        text += (replaced ? std::string(kReplaced) : std::string()) + line + "\n";
    }
    text += kWritten;
    // PostgreSQL refuses an empty target that follows a set one ("multiple recovery targets specified"): the empty ones come first.
    if (base::guard("restore.cleared_settings"))
        for (const auto& [name, value] : cleared_settings(server_version))
            if (!settings.contains(name)) text += setting_line(name, value);
    for (const auto& [name, value] : settings) text += setting_line(name, value);
    base::write_file_durably(path, text, modes.file);
    const bool standby = role == Role::standby;
    std::filesystem::remove(data_directory / (standby ? "recovery.signal" : "standby.signal"));
    base::write_file_durably(data_directory / (standby ? "standby.signal" : "recovery.signal"), "", modes.file);
}

void withdraw_recovery(const std::filesystem::path& data_directory) {
    const auto path = data_directory / "postgresql.auto.conf";
    const auto modes = cluster_modes(data_directory);
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return;
    const auto text = base::read_file(path);
    const auto written = text.rfind(kWritten);
    if (written == std::string::npos) return;
    std::istringstream lines(text.substr(0, written));
    std::string before;
    for (std::string line; std::getline(lines, line);)
        before += (line.starts_with(kReplaced) ? line.substr(kReplaced.size()) : line) + "\n";
    base::write_file_durably(path, before, modes.file);
}

}  // namespace howdah::restore
