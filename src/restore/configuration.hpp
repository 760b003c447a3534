#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "repository/backups.hpp"

namespace howdah::restore {

/// Puts the configuration that lived outside the data directory into it: files below the main file's folder keep their place relative to
/// it, others go to "outside/…". In the main file the settings that name the old places (data_directory, config_file, hba_file, ident_file,
/// external_pid_file) are commented out. A file of the data directory with the same name is kept beside it as NAME.from-data. Returns what
/// a person should know. When the backup holds no main configuration file at all, a smallest one is written, with hba rules that let in
/// only the same user over the socket.
std::vector<std::string> place_configuration_inside(const repository::Repository& repository, const repository::Backup& backup,
                                                    const std::filesystem::path& data_directory);

/// Puts the same files below `folder` instead ("/" brings them back to their own places), never over one that is there: that is
/// Failure(operation), told before anything is written.
std::vector<std::string> place_configuration_at(const repository::Repository& repository, const repository::Backup& backup,
                                                const std::filesystem::path& folder);

}  // namespace howdah::restore
