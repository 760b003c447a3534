#include "archive/archiving_settings.hpp"

#include <algorithm>
#include <cctype>

namespace howdah::archive {

using postgres::Session;

namespace {

constexpr const char* kUnknown = "unknown";

/// The server shows "on" for what a file may call "true", "YES" or "1", and "replica" for older names.
std::string shown(std::string value) {
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto is = [&](std::initializer_list<const char*> words) { return std::find(words.begin(), words.end(), value) != words.end(); };
    if (is({"true", "yes", "1"})) return "on";
    if (is({"false", "no", "0"})) return "off";
    if (is({"archive", "hot_standby"})) return "replica";
    return value;
}

}  // namespace

std::optional<std::string> value_after_restart(Session& session, const std::string& name) {
    const auto now = session.query("SELECT setting, pending_restart, boot_val, source FROM pg_settings WHERE name = $1", {name});
    if (now.size() == 0) return std::nullopt;
    const std::string value(now.text(0, 0)), source(now.text(0, 3));
    if (source == "command line" || source == "override" || source == "environment variable") return value;
    const bool visible =
        session.value(
            "SELECT has_table_privilege('pg_file_settings', 'SELECT') AND has_function_privilege('pg_show_all_file_settings()', 'EXECUTE')") ==
        "t";
    // A file that cannot be read hides what comes after it, and no server starts with it. A row without a file tells of a removed line only.
    if (!visible || session.value("SELECT count(*) FROM pg_file_settings WHERE name IS NULL AND sourcefile IS NOT NULL") != "0")
        return now.boolean(0, 1) ? std::nullopt : std::optional(value);
    const auto line = session.query("SELECT setting FROM pg_file_settings WHERE name = $1 ORDER BY seqno DESC LIMIT 1", {name});
    return shown(std::string(line.size() == 0 ? now.text(0, 2) : line.text(0, 0)));
}

ArchivingSettings read_archiving_settings(Session& session) {
    ArchivingSettings settings;
    settings.in_recovery = session.value("SELECT pg_is_in_recovery()") == "t";
    // reset_val: while archive_mode is off the view shows archive_command as "(disabled)".
    const auto rows =
        session.query("SELECT name, reset_val FROM pg_settings WHERE name IN ('archive_mode', 'archive_command', 'archive_library')");
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string_view name = rows.text(row, 0);
        const std::string value(rows.text(row, 1));
        if (name == "archive_mode")
            settings.mode = value;
        else if (name == "archive_command")
            settings.command = value;
        else
            settings.library = value;
    }
    settings.mode_to_come = value_after_restart(session, "archive_mode").value_or(kUnknown);
    return settings;
}

std::string why_not_archiving(const ArchivingSettings& settings) {
    if (settings.in_recovery && settings.mode != "always") return {};
    if (settings.mode == "off")
        return settings.mode_to_come == "on" || settings.mode_to_come == "always"
                   ? "archiving is off until the server is restarted: archive_mode waits for it"
                   : "archiving is off: archive_mode = off";
    if (settings.command && settings.command->empty() && settings.library.empty())
        return "archiving is off: archive_command is empty, and WAL is kept on the server only";
    if (settings.mode_to_come == "off") return "archiving ends at the server's next restart: archive_mode was set to off";
    if (settings.mode_to_come == kUnknown)
        return "archiving may end at the server's next restart: archive_mode was changed and waits for it";
    return {};
}

}  // namespace howdah::archive
