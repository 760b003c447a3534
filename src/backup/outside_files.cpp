#include "backup/outside_files.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>
#include <tuple>

#include "base/file.hpp"
#include "postgres/config_text.hpp"

namespace howdah::backup {

namespace {

namespace fs = std::filesystem;
using postgres::FileReference;

constexpr const char* kInclude = "include";  ///< Settings: files like postgresql.conf.
constexpr const char* kRules = "rules";      ///< Included by pg_hba.conf or pg_ident.conf.
constexpr const char* kNames = "names";      ///< Named there by "@file".

bool lies_inside(const fs::path& path, const fs::path& folder) {
    const auto relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
    return !relative.empty() && *relative.begin() != "..";
}

bool holds_settings(const std::string& role) { return role == "config_file" || role == kInclude; }

/// Follows configuration files through what they include, wherever they lie; takes those outside the data directory.
class Finder {
public:
    Finder(const fs::path& data_directory, OutsideFiles& found) : data_directory_(data_directory), found_(found) {}

    void visit(const fs::path& path, const std::string& role, bool may_miss = false);

private:
    void take(const fs::path& path, const std::string& role, const struct stat& status);
    void follow(const fs::path& path, const std::string& role);
    void visit_folder(const fs::path& folder, const std::string& role);
    void leave_out(const fs::path& path, const char* why) {
        found_.warnings.push_back(fmt::format("left out the configuration file {}: {}", path.string(), why));
    }

    const fs::path& data_directory_;
    OutsideFiles& found_;
    std::set<fs::path> seen_;
};

void Finder::visit(const fs::path& path, const std::string& role, bool may_miss) {
    if (!seen_.insert(path).second) return;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        if (!(may_miss && errno == ENOENT)) leave_out(path, std::strerror(errno));
        return;
    }
    if (!S_ISREG(status.st_mode)) return leave_out(path, "not a file");
    if (::access(path.c_str(), R_OK) != 0) return leave_out(path, std::strerror(errno));
    if (!lies_inside(path, data_directory_)) take(path, role, status);
    follow(path, role);
}

void Finder::take(const fs::path& path, const std::string& role, const struct stat& status) {
    ListedFile file;
    file.path = path.string();
    file.mode = status.st_mode & 07777u;
    file.size = static_cast<std::uint64_t>(status.st_size);
    file.modified_us = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
    found_.listed.push_back(file);
    found_.named.push_back({.path = path.string(), .stored = path.string().substr(1), .role = role});
}

void Finder::follow(const fs::path& path, const std::string& role) {
    const auto text = base::read_file_if_exists(path).value_or(std::string());
    const bool settings = holds_settings(role);
    for (const auto& reference : settings ? postgres::references_of_settings(text) : postgres::references_of_rules(text)) {
        const auto target = (path.parent_path() / reference.path).lexically_normal();
        if (reference.kind == FileReference::Kind::names)
            visit(target, kNames);
        else if (reference.kind == FileReference::Kind::folder)
            visit_folder(target, settings ? kInclude : kRules);
        else
            visit(target, settings ? kInclude : kRules, reference.kind == FileReference::Kind::file_if_exists);
    }
}

/// The files that include_dir reads: those that end in .conf and do not begin with a dot.
void Finder::visit_folder(const fs::path& folder, const std::string& role) {
    std::error_code error;
    std::set<fs::path> files;
    for (fs::directory_iterator item(folder, error), end; !error && item != end; item.increment(error)) {
        const auto name = item->path().filename().string();
        if (name.ends_with(".conf") && !name.starts_with('.')) files.insert(item->path());
    }
    if (error) found_.warnings.push_back(fmt::format("left out the configuration folder {}: {}", folder.string(), error.message()));
    for (const auto& file : files) visit(file, role);
}

/// Files as the server has read them. It shows them to superusers and granted roles only.
void visit_files_of_server(postgres::Session& session, Finder& finder, std::vector<std::string>& warnings) {
    try {
        const auto rows = session.query("SELECT DISTINCT sourcefile FROM pg_file_settings WHERE sourcefile IS NOT NULL");
        for (std::size_t i = 0; i < rows.size(); ++i) finder.visit(fs::path(rows.text(i, 0)).lexically_normal(), kInclude);
    } catch (const postgres::ServerFailure& failure) {
        warnings.push_back(
            fmt::format("included configuration files could not be listed by the server, only by reading them: {}", failure.what()));
    }
}

}  // namespace

OutsideFiles find_outside_files(postgres::Session& session, const postgres::ClusterFacts& facts, const fs::path& data_directory) {
    OutsideFiles files;
    Finder finder(data_directory, files);
    for (const auto& [path, role, usual] :
         {std::tuple{facts.config_file, "config_file", "postgresql.conf"}, std::tuple{facts.hba_file, "hba_file", "pg_hba.conf"},
          std::tuple{facts.ident_file, "ident_file", "pg_ident.conf"}}) {
        std::error_code error;
        if (!path.empty())
            finder.visit(path.lexically_normal(), role);
        else if (fs::exists(data_directory / usual, error))
            finder.visit(data_directory / usual, role);
        else
            files.warnings.push_back(
                fmt::format("left out the server's {}: it lies elsewhere, and this role may not read where (pg_read_all_settings)", usual));
    }
    visit_files_of_server(session, finder, files.warnings);
    std::sort(files.listed.begin(), files.listed.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
    return files;
}

}  // namespace howdah::backup
