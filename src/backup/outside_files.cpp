#include "backup/outside_files.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace howdah::backup {

namespace {

/// Absolute path → role. Included files are seen through pg_file_settings, which only superusers and granted roles may read.
std::map<std::string, std::string> candidates(postgres::Session& session, const postgres::ClusterFacts& facts, std::vector<std::string>& warnings) {
    std::map<std::string, std::string> found;
    try {
        const auto rows = session.query("SELECT DISTINCT sourcefile FROM pg_file_settings WHERE sourcefile IS NOT NULL");
        for (std::size_t i = 0; i < rows.size(); ++i) found.emplace(rows.text(i, 0), "include");
    } catch (const postgres::ServerFailure& failure) {
        warnings.push_back(fmt::format("included configuration files could not be listed: {}", failure.what()));
    }
    for (const auto& [path, role] : {std::pair{facts.config_file, "config_file"}, std::pair{facts.hba_file, "hba_file"}, std::pair{facts.ident_file, "ident_file"}})
        if (!path.empty()) found[path.string()] = role;
    return found;
}

bool lies_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
    const auto relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
    return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

OutsideFiles find_outside_files(postgres::Session& session, const postgres::ClusterFacts& facts, const std::filesystem::path& data_directory) {
    OutsideFiles files;
    for (const auto& [path, role] : candidates(session, facts, files.warnings)) {
        if (lies_inside(path, data_directory)) continue;
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) {
            files.warnings.push_back(fmt::format("left out the configuration file {}: {}", path, std::strerror(errno)));
            continue;
        }
        ListedFile file;
        file.path = std::string(kOutsideRoot) + path;
        file.real = path;
        file.mode = status.st_mode & 07777u;
        file.size = static_cast<std::uint64_t>(status.st_size);
        file.modified_us = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
        files.listed.push_back(file);
        files.named.push_back({.path = path, .stored = path.substr(1), .role = role});
    }
    std::sort(files.listed.begin(), files.listed.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
    return files;
}

}  // namespace howdah::backup
