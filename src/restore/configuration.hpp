#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "repository/backups.hpp"
#include "restore/cluster_modes.hpp"

namespace howdah::restore {

/// The text of the backup's configuration files in the order in which the server reads them: postgresql.conf, what it includes from
/// outside, postgresql.auto.conf. Includes are appended, not put where they are named.
std::string settings_of(const repository::Repository& repository, const repository::Backup& backup);

/// Puts the configuration that lived outside the data directory into it: files below the main file's folder keep their place relative to
/// it, others, and those whose name is taken or the cluster's own, go to "howdah-outside/…". Settings that name the old places and the includes of
/// what was moved are mended (moved_text.hpp). A file of the data directory with the same name is kept beside it as NAME.from-data. Returns
/// what a person should know. When the backup holds no main configuration file at all, a smallest one is written, with hba rules that let
/// in only the same user over the socket. Files get the permissions they had, as far as the cluster's own files have them.
std::vector<std::string> place_configuration_inside(const repository::Repository& repository, const repository::Backup& backup,
                                                    const std::filesystem::path& data_directory, const ClusterModes& modes);

/// Failure(operation) for what place_configuration_at cannot do: a file with other content is there, or this user may not write there.
/// Touches nothing.
void check_configuration_at(const repository::Repository& repository, const repository::Backup& backup,
                            const std::filesystem::path& folder);

/// Puts the same files below `folder` instead ("/" brings them back to their own places), after check_configuration_at. A file that is
/// there with the same content is done already, so that an interrupted restore can be run again.
std::vector<std::string> place_configuration_at(const repository::Repository& repository, const repository::Backup& backup,
                                                const std::filesystem::path& folder);

}  // namespace howdah::restore
