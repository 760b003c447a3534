#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "postgres/control_file.hpp"
#include "restore/cluster_modes.hpp"
#include "restore/plan.hpp"

namespace howdah::restore {

/// How the restored server gets WAL: the words of a command line in which "%f" and "%p" stand for PostgreSQL's.
struct FetchCommand {
    std::vector<std::string> words;
};

/// The restore_command's text: words quoted for the shell and % doubled, but for %f and %p.
std::string restore_command(const FetchCommand& command);

/// Settings that make the server recover to the plan's target and end there. The timeline is a number (trap T21). `promote` false pauses
/// at the target.
std::map<std::string, std::string> recovery_settings(const Plan& plan, const FetchCommand& command, bool promote);

/// Settings of a standby: it follows the newest timeline of the archive, and streams from `primary` (a connection string) unless that is
/// empty. It has no target and never promotes by itself.
std::map<std::string, std::string> standby_settings(const FetchCommand& command, const std::string& primary);

/// What the restored server becomes.
enum class Role { primary, standby };

using SettingList = std::vector<std::pair<std::string, std::string>>;

/// Every setting of recovery and of a standby that could end or delay recovery, or run a command of the original server, with the value
/// that means none. `server_version` as in 150014: PostgreSQL 16 no longer knows promote_trigger_file and refuses to start with it.
SettingList cleared_settings(int server_version);

/// Settings that must not be lower than what pg_control demands, with its values: a hot standby would stop replaying.
std::map<std::string, std::string> demanded_settings(const postgres::ControlFile& control);

/// Writes postgresql.auto.conf anew: the old file's lines with those of recovery and of `settings` commented out, the cleared settings
/// that are not among `settings`, then `settings`. It is read after postgresql.conf and overrules it. Creates recovery.signal, for a standby
/// standby.signal, and removes the other.
void write_recovery(const std::filesystem::path& data_directory, const std::map<std::string, std::string>& settings, int server_version,
                    const ClusterModes& modes, Role role = Role::primary);

/// Takes back from postgresql.auto.conf what write_recovery wrote, if it did, so that the file can be compared with the backup's.
void withdraw_recovery(const std::filesystem::path& data_directory);

/// "name = 'value'" with quotes doubled.
std::string setting_line(const std::string& name, const std::string& value);

}  // namespace howdah::restore
