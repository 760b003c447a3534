#include "backup/file_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <system_error>

#include "backup/file_rules.hpp"
#include "base/failure.hpp"
#include "base/hooks.hpp"

namespace howdah::backup {

namespace {

using repository::EntryType;

class Walk {
public:
    Walk(std::string version_folder, std::uint32_t segment_blocks, std::string statistics, const base::Cancellation& cancellation,
         FileList& list)
        : version_folder_(std::move(version_folder)),
          segment_blocks_(segment_blocks),
          statistics_(std::move(statistics)),
          cancellation_(cancellation),
          list_(list) {}

    void folder(const std::string& path);

private:
    std::string place(const std::string& path) const { return path.empty() ? list_.data_directory : list_.data_directory + "/" + path; }
    std::vector<std::string> names(const std::string& path) const;
    void entry(const std::string& path, std::string_view name, bool relations, const std::set<std::uint32_t>& unlogged);
    void link(const std::string& path, const struct stat& facts);
    void tablespace(const std::string& path);
    bool left_out(const std::string& path) const { return contents_left_out(path) || (!statistics_.empty() && path == statistics_); }
    ListedFile& add(const std::string& path, EntryType type, const struct stat& facts);

    std::string version_folder_;
    std::uint32_t segment_blocks_;
    std::string statistics_;  ///< Relative to the data directory; empty: none.
    const base::Cancellation& cancellation_;
    FileList& list_;
};

/// Names in a folder, sorted; none when it vanished meanwhile.
std::vector<std::string> Walk::names(const std::string& path) const {
    std::vector<std::string> found;
    const auto real = place(path);
    const std::unique_ptr<DIR, int (*)(DIR*)> handle(::opendir(real.c_str()), &::closedir);
    if (!handle) {
        if (errno == ENOENT) return found;
        throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot read the folder {}", real), errno,
                                  "run the backup as the owner of the data directory");
    }
    for (;;) {
        errno = 0;
        const dirent* item = ::readdir(handle.get());
        if (!item) break;
        const std::string_view name = item->d_name;
        if (name != "." && name != "..") found.emplace_back(name);
    }
    if (errno != 0 && errno != ENOENT)
        throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot read the folder {}", real), errno);
    std::sort(found.begin(), found.end());
    return found;
}

/// Filenodes of unlogged relations in a folder: those with an init fork. Only that fork is kept, the server makes the others anew.
std::set<std::uint32_t> unlogged_in(const std::vector<std::string>& names) {
    std::set<std::uint32_t> unlogged;
    if (!base::guard("T12.unlogged")) return unlogged;
    for (const auto& name : names) {
        const auto file = parse_relation_file(name);
        if (file && file->fork == "init") unlogged.insert(file->filenode);
    }
    return unlogged;
}

void Walk::folder(const std::string& path) {
    cancellation_.check("listing the cluster's files");
    const auto found = names(path);
    const bool relations = holds_relations(path);
    const auto unlogged = relations ? unlogged_in(found) : std::set<std::uint32_t>();
    for (const auto& name : found) {
        if (name_left_out(name) || (path.empty() && top_file_left_out(name))) continue;
        entry(path.empty() ? name : path + "/" + name, name, relations, unlogged);
    }
}

void Walk::entry(const std::string& path, std::string_view name, bool relations, const std::set<std::uint32_t>& unlogged) {
    const auto real = place(path);
    struct stat facts{};
    if (::lstat(real.c_str(), &facts) != 0) {
        if (errno == ENOENT) return;
        throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot look at {}", real), errno);
    }
    if (S_ISLNK(facts.st_mode)) {
        link(path, facts);
    } else if (S_ISDIR(facts.st_mode)) {
        add(path, EntryType::directory, facts);
        if (is_tablespace(path))
            tablespace(path);
        else if (!left_out(path))
            folder(path);
    } else if (S_ISREG(facts.st_mode)) {
        if (path == "global/pg_control") return;
        const auto relation = relations ? parse_relation_file(name) : std::nullopt;
        if (relation && relation->fork != "init" && unlogged.contains(relation->filenode)) return;
        auto& file = add(path, EntryType::file, facts);
        file.size = static_cast<std::uint64_t>(facts.st_size);
        file.relation = relation.has_value();
        if (relation) file.first_block = relation->segment * segment_blocks_;
        list_.bytes += file.size;
    } else {
        list_.warnings.push_back(fmt::format("left out {}: neither a file, a folder nor a link", path));
    }
}

/// A tablespace's link (or folder, when it is in place): of its contents only this version's folder belongs to this cluster.
void Walk::tablespace(const std::string& path) {
    const auto below = path + "/" + version_folder_;
    const auto inside = place(below);
    struct stat facts{};
    // It may be a link to another disk; a restore makes a plain folder of it.
    if (::stat(inside.c_str(), &facts) != 0) {
        if (errno != ENOENT) throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot look at {}", inside), errno);
        list_.warnings.push_back(fmt::format("tablespace {} has no folder {}", path, version_folder_));
        return;
    }
    add(below, EntryType::directory, facts);
    folder(below);
}

void Walk::link(const std::string& path, const struct stat& facts) {
    const auto real = place(path);
    std::error_code error;
    const auto target = std::filesystem::read_symlink(real, error);
    // It vanished, or something else took its name.
    if (error == std::errc::no_such_file_or_directory || error == std::errc::invalid_argument) return;
    if (error) throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot read the link {}", real), error.value());
    if (is_tablespace(path)) {
        add(path, EntryType::symlink, facts).link_target = target.string();
        tablespace(path);
        return;
    }
    struct stat behind{};
    if (::stat(real.c_str(), &behind) != 0) {
        list_.warnings.push_back(fmt::format("left out the link {}: nothing is where it points, {}", path, target.string()));
        return;
    }
    if (S_ISDIR(behind.st_mode)) {
        // pg_wal often lies on another disk. A restore makes a plain folder of it.
        add(path, EntryType::directory, behind);
        if (left_out(path)) return;
        // Parts of the cluster moved to another disk are the cluster; a restore makes plain folders of them.
        if (path == "base" || path == "global" || path.starts_with("base/") || path.starts_with("pg_")) return folder(path);
        if (path != "pg_wal") list_.warnings.push_back(fmt::format("left out what is behind the link {}: {}", path, target.string()));
    } else if (S_ISREG(behind.st_mode)) {
        auto& file = add(path, EntryType::file, behind);
        file.size = static_cast<std::uint64_t>(behind.st_size);
        list_.bytes += file.size;
    }
}

ListedFile& Walk::add(const std::string& path, EntryType type, const struct stat& facts) {
    ListedFile file;
    file.path = path;
    file.type = type;
    file.mode = facts.st_mode & 07777u;
    file.modified_us = static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1'000'000 + facts.st_mtim.tv_nsec / 1000;
    return list_.files.emplace_back(std::move(file));
}

/// The folder of temporary statistics relative to the data directory; empty when it lies outside of it, is the directory itself or, by
/// a mistake, one of the cluster's own folders, of which nothing must be lost.
std::string statistics_folder(const std::filesystem::path& data_directory, const std::filesystem::path& statistics) {
    const auto inside =
        (data_directory / statistics / "").lexically_normal().lexically_relative((data_directory / "").lexically_normal()).parent_path();
    if (statistics.empty() || inside.empty()) return {};
    const auto first = inside.begin()->string();
    const bool own = first == "base" || first == "global" || (first.starts_with("pg_") && first != "pg_stat_tmp");
    return first == ".." || own ? std::string() : inside.string();
}

}  // namespace

std::string FileList::place(std::size_t number) const {
    const auto& path = files[number].path;
    return path.starts_with('/') ? path : data_directory + "/" + path;
}

FileList list_files(const std::filesystem::path& data_directory, std::uint32_t catalog_version, int major, std::uint32_t segment_blocks,
                    const std::filesystem::path& statistics, const base::Cancellation& cancellation) {
    FileList list;
    list.data_directory = data_directory.string();
    Walk(fmt::format("PG_{}_{}", major, catalog_version), segment_blocks, statistics_folder(data_directory, statistics), cancellation, list)
        .folder("");
    std::sort(list.files.begin(), list.files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
    return list;
}

}  // namespace howdah::backup
