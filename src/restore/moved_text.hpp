#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace howdah::restore {

/// Old absolute path of a configuration file → where it lies now.
using Moves = std::map<std::string, std::filesystem::path>;

/// The text of a file like postgresql.conf that lay at `from` and lies at `to`: settings that name places of the old host (data_directory,
/// config_file, hba_file, ident_file, external_pid_file) are commented out, but relative values of the last three that lead to no moved file
/// stay; and includes of moved files or of their folders name the new places, relative to `to`, so that the data directory can be moved again.
std::string moved_settings(const std::string& text, const std::filesystem::path& from, const std::filesystem::path& to, const Moves& moves);

/// The same for the files that one like pg_hba.conf names.
std::string moved_rules(const std::string& text, const std::filesystem::path& from, const std::filesystem::path& to, const Moves& moves);

}  // namespace howdah::restore
