#include "restore/separation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "base/failure.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;

/// Links followed as far as the path exists.
fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::weakly_canonical(path, error);
    if (error) real = fs::absolute(path).lexically_normal();
    return real.has_filename() ? real : real.parent_path();
}

bool lies_in(const fs::path& path, const fs::path& folder) {
    const auto [rest, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return rest == folder.end();
}

[[noreturn]] void refuse(const fs::path& destination, const std::string& what, const fs::path& folder) {
    throw base::Failure(base::FailureKind::operation,
                        fmt::format("the target {} lies inside {}: {}", destination.string(), what, folder.string()),
                        "name a folder beside it with --into, and for a tablespace with --tablespace NAME=DIR");
}

/// A data directory above a folder that Howdah need not know.
std::optional<fs::path> data_directory_above(const fs::path& real) {
    for (auto folder = real; folder.has_relative_path();) {
        folder = folder.parent_path();
        std::error_code ignored;
        if (fs::exists(folder / "PG_VERSION", ignored)) return folder;
    }
    return std::nullopt;
}

}  // namespace

std::vector<ForeignFolder> folders_of_cluster(const std::string& name, const fs::path& data_directory) {
    std::vector<ForeignFolder> folders;
    if (data_directory.empty()) return folders;
    folders.push_back({data_directory, fmt::format("the data directory of cluster {}", name), true, data_directory});
    std::error_code error;
    for (fs::directory_iterator link(data_directory / "pg_tblspc", error), end; !error && link != end; link.increment(error)) {
        std::error_code unreadable;
        const auto target = fs::read_symlink(link->path(), unreadable);
        if (!unreadable)
            folders.push_back(
                {target, fmt::format("tablespace {} of cluster {}", link->path().filename().string(), name), true, data_directory});
    }
    return folders;
}

void require_separate(const Destinations& destinations, const std::vector<ForeignFolder>& foreign) {
    std::vector<std::pair<fs::path, fs::path>> targets{{destinations.data_directory, real_path(destinations.data_directory)}};
    for (const auto& [oid, folder] : destinations.tablespaces) targets.emplace_back(folder, real_path(folder));
    for (const auto& [target, real] : targets) {
        for (const auto& other : foreign) {
            const auto folder = real_path(other.folder);
            if (lies_in(real, folder) && !(other.may_be_target && real == folder)) refuse(target, other.what, other.folder);
        }
        for (const auto& [beside, real_beside] : targets)
            if (&beside != &target && lies_in(real, real_beside)) refuse(target, "another folder of this restore", beside);
        if (const auto above = data_directory_above(real)) refuse(target, "a data directory", *above);
    }
}

void require_unshared(const Destinations& destinations, const std::vector<fs::path>& filled, const std::vector<ForeignFolder>& foreign,
                      const std::vector<fs::path>& keep) {
    const auto data = real_path(destinations.data_directory);
    for (const auto& target : filled) {
        const auto real = real_path(target);
        for (const auto& other : foreign) {
            const bool own = !other.owner.empty() && real_path(other.owner) == data;
            if (own || !lies_in(real_path(other.folder), real)) continue;
            throw base::Failure(base::FailureKind::operation,
                                fmt::format("the target {} holds {}: {}", target.string(), other.what, other.folder.string()),
                                "name another folder with --into, and for a tablespace with --tablespace NAME=DIR");
        }
        for (const auto& path : keep)
            if (lies_in(real_path(path), real))
                throw base::Failure(base::FailureKind::operation,
                                    fmt::format("the target {} holds what the backup does not: {}", target.string(), path.string()),
                                    "move it out of the directory, whose other files a restore removes");
    }
}

}  // namespace howdah::restore
