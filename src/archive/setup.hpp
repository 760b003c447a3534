#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "postgres/session.hpp"

namespace howdah::archive {

/// One setting that `wal setup` (or its undo) changes, by ALTER SYSTEM.
struct SettingChange {
    std::string setting;
    std::string old_value;               ///< In force now.
    std::string new_value;               ///< In force afterwards.
    std::optional<std::string> written;  ///< For postgresql.auto.conf; none removes the line there (ALTER SYSTEM RESET).
    bool needs_restart = false;
};
struct SetupPlan {
    std::vector<SettingChange> changes;  ///< Empty: nothing to do.
    std::vector<std::string> notes;      ///< What is left as it is and why.
    bool needs_restart() const;
};

struct SetupOptions {
    std::filesystem::path binary;       ///< Of this program, absolute.
    std::filesystem::path config_file;  ///< Absolute; empty: the program's default.
    std::string cluster;
    bool force = false;  ///< Replace another tool's archive_command or archive_library.
};

/// archive_command for these options: each word quoted for the shell, "%" doubled, and PostgreSQL's %p at the end.
std::string archive_command(const SetupOptions& options);

/// What must change so that the server archives through us: archive_mode (on stays "always"), archive_command, archive_timeout (300 s
/// unless it is shorter already), wal_level when it is minimal, each looked at as it is now and as it will be after a restart, archive_library when forced. Failure(operation) when another
/// archive_command or archive_library is set and `force` is not, or when a setting is fixed on the server's command line.
SetupPlan plan_setup(postgres::Session& session, const SetupOptions& options);

/// What brings back the values recorded by apply_setup; a setting changed by somebody since then is left alone and noted.
/// Failure(operation) when nothing is recorded, Failure(configuration) when the record is of another cluster.
SetupPlan plan_undo(postgres::Session& session, const std::filesystem::path& state_directory, const std::string& cluster);

/// Records the old values below the state directory (durably, before the first change; a record that is there keeps its old values),
/// changes the settings and reloads. A restart, where the plan says so, is the caller's to announce.
void apply_setup(postgres::Session& session, const SetupPlan& plan, const std::filesystem::path& state_directory,
                 const std::string& cluster);
/// Changes the settings, reloads and removes the record.
void apply_undo(postgres::Session& session, const SetupPlan& plan, const std::filesystem::path& state_directory,
                const std::string& cluster);

}  // namespace howdah::archive
