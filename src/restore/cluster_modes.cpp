#include "restore/cluster_modes.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/failure.hpp"

namespace howdah::restore {

ClusterModes cluster_modes(const std::filesystem::path& data_directory) {
    struct stat facts{};
    const bool group = ::stat((data_directory / "PG_VERSION").c_str(), &facts) == 0 && (facts.st_mode & 0040u) != 0;
    return group ? ClusterModes{0640, 0750} : ClusterModes{};
}

void settle_folders(const Destinations& destinations, const ClusterModes& modes) {
    const auto settle = [&](const std::filesystem::path& folder) {
        if (::chmod(folder.c_str(), modes.folder) != 0)
            throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot set the permissions of {}", folder.string()),
                                      errno);
    };
    settle(destinations.data_directory);
    for (const auto& [oid, folder] : destinations.tablespaces) settle(folder);
}

}  // namespace howdah::restore
