#pragma once

#include <sys/types.h>

#include "restore/target_directory.hpp"

namespace howdah::restore {

/// Permissions of a cluster's own files and folders: 0600 and 0700, or 0640 and 0750 where initdb was told to let the group read.
struct ClusterModes {
    mode_t file = 0600;
    mode_t folder = 0700;
};

/// As the restored files have them already: by PG_VERSION, which every data directory holds.
ClusterModes cluster_modes(const std::filesystem::path& data_directory);

/// Gives the data directory and the tablespaces' folders, made before anything was known, the cluster's permissions.
void settle_folders(const Destinations& destinations, const ClusterModes& modes);

}  // namespace howdah::restore
