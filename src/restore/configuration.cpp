#include "restore/configuration.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "postgres/config_text.hpp"
#include "repository/pack_reader.hpp"
#include "restore/moved_text.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

constexpr const char* kElsewhere = "howdah-outside";
constexpr const char* kMainFile = "postgresql.conf";

struct Content {
    repository::OutsideFile file;
    std::string text;
    std::uint32_t mode = 0600;
};

std::vector<Content> read_contents(const repository::Repository& repository, const repository::Backup& backup) {
    std::map<std::string, repository::FileEntry> entries;
    for (const auto& reference : backup.root.trees)
        if (reference.root == repository::kOutsideRoot)
            for (auto& entry : repository::read_tree(repository, backup.area, reference.name).entries)
                entries.emplace(entry.path, std::move(entry));
    std::vector<Content> contents;
    for (const auto& file : backup.root.outside) {
        const auto entry = entries.find(file.stored);
        if (entry == entries.end()) continue;  // It vanished while the backup ran.
        const auto extents = repository::read_extents(repository, backup.area, entry->second);
        contents.push_back({file, repository::read_bytes(repository, backup.area, extents, entry->second.size), entry->second.mode});
    }
    return contents;
}

bool is_settings(const Content& content) { return content.file.role == "config_file" || content.file.role == "include"; }

/// Paths that a placed file must never take: those of the cluster itself.
bool belongs_to_cluster(const fs::path& name) {
    static constexpr std::array<std::string_view, 4> kNames{"base", "global", "PG_VERSION", "postgresql.auto.conf"};
    const auto first = name.begin()->string();
    const bool folder = std::next(name.begin()) != name.end();
    return std::find(kNames.begin(), kNames.end(), first) != kNames.end() || first.ends_with(".signal") ||
           (folder && first.starts_with("pg_"));
}

/// Folders named by include_dir: an empty one is in no list of files, yet the server refuses to start without it. None is made outside the
/// folder of the file that names it.
void make_included_folders(const std::string& text, const fs::path& base_folder, const ClusterModes& modes) {
    for (const auto& reference : postgres::references_of_settings(text))
        if (const auto name = fs::path(reference.path).lexically_normal();
            reference.kind == postgres::FileReference::Kind::folder && name.is_relative() && *name.begin() != "..")
            base::create_directories_durably(base_folder / name, modes.folder);
}

/// A path beside it that is free: "NAME.from-data", then "NAME.from-data.2" and so on.
fs::path free_name(const fs::path& path, const std::string& suffix) {
    auto name = path.string() + suffix;
    for (int number = 2; fs::exists(fs::symlink_status(name)); ++number) name = fmt::format("{}{}.{}", path.string(), suffix, number);
    return name;
}

/// Where each file goes inside the data directory: the three main files to their usual names, others to their place relative to the main
/// file's folder where they lie below it and nothing is in the way, else below a folder of their own.
Moves decide_places(const std::vector<Content>& contents, const fs::path& data_directory) {
    static const std::map<std::string, std::string> kMain{
        {"config_file", kMainFile}, {"hba_file", "pg_hba.conf"}, {"ident_file", "pg_ident.conf"}};
    Moves moves;
    std::set<fs::path> taken{kMainFile, "pg_hba.conf", "pg_ident.conf"};
    fs::path main_folder, elsewhere = data_directory / kElsewhere;
    for (const auto& content : contents) {
        if (content.file.role == "config_file") main_folder = fs::path(content.file.path).lexically_normal().parent_path();
        if (const auto main = kMain.find(content.file.role); main != kMain.end()) moves[content.file.path] = data_directory / main->second;
    }
    if (fs::exists(fs::symlink_status(elsewhere))) elsewhere = free_name(elsewhere, "");
    for (const auto& content : contents) {
        if (moves.contains(content.file.path)) continue;
        const auto relative =
            main_folder.empty() ? fs::path() : fs::path(content.file.path).lexically_normal().lexically_relative(main_folder);
        const bool below = !relative.empty() && *relative.begin() != ".." && !belongs_to_cluster(relative) && taken.insert(relative).second;
        moves[content.file.path] = below ? data_directory / relative : elsewhere / content.file.stored;
    }
    return moves;
}

bool is_placed(const fs::path& path, const Content& content) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return false;
    return fs::file_size(path, error) == content.text.size() && base::read_file_if_exists(path) == content.text;
}

/// The nearest folder above that exists must let this user make files.
void require_writable(const fs::path& path) {
    std::error_code error;
    auto folder = path.parent_path();
    while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
    if (!fs::is_directory(folder, error))
        throw Failure(FailureKind::operation,
                      fmt::format("configuration cannot be put at {}: {} is no folder", path.string(), folder.string()),
                      "name another folder with --config-to");
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("configuration cannot be put into {}", folder.string()), errno,
                                  "run the restore as a user that may write there, or name another folder with --config-to");
}

void write_smallest(const fs::path& data_directory, const ClusterModes& modes, std::vector<std::string>& notes) {
    base::write_file_durably(data_directory / kMainFile, "# written by howdah restore: the backup held no postgresql.conf\n", modes.file);
    if (!fs::exists(data_directory / "pg_hba.conf"))
        base::write_file_durably(data_directory / "pg_hba.conf",
                                 "# written by howdah restore: only the same user over the socket\nlocal all all peer\n", modes.file);
    if (!fs::exists(data_directory / "pg_ident.conf")) base::write_file_durably(data_directory / "pg_ident.conf", "", modes.file);
    notes.push_back("the backup held no postgresql.conf: a smallest one was written; compare settings before you let applications in");
}

}  // namespace

std::string settings_of(const repository::Repository& repository, const repository::Backup& backup) {
    std::string main, included, automatic;
    for (const auto& reference : backup.root.trees) {
        if (!reference.root.empty()) continue;
        for (const auto& entry : repository::read_tree(repository, backup.area, reference.name).entries) {
            const bool is_main = entry.path == kMainFile;
            if (entry.type != repository::EntryType::file || (!is_main && entry.path != "postgresql.auto.conf")) continue;
            auto text =
                repository::read_bytes(repository, backup.area, repository::read_extents(repository, backup.area, entry), entry.size);
            (is_main ? main : automatic) = std::move(text);
        }
    }
    for (const auto& content : read_contents(repository, backup)) {
        if (content.file.role == "config_file")
            main = content.text;
        else if (content.file.role == "include")
            included += content.text + "\n";
    }
    return main + "\n" + included + automatic;
}

std::vector<std::string> place_configuration_inside(const repository::Repository& repository, const repository::Backup& backup,
                                                    const fs::path& data_directory, const ClusterModes& modes) {
    std::vector<std::string> notes;
    const auto contents = read_contents(repository, backup);
    const auto moves = decide_places(contents, data_directory);
    const auto rewrite = [&](const Content& content, const fs::path& path) {
        return is_settings(content) ? moved_settings(content.text, content.file.path, path, moves)
                                    : moved_rules(content.text, content.file.path, path, moves);
    };
    // The files of the data directory may name files that lay outside it.
    for (const char* name : {kMainFile, "pg_hba.conf", "pg_ident.conf"}) {
        const auto path = data_directory / name;
        const auto old = base::read_file_if_exists(path);
        if (!old || contents.empty()) continue;
        const auto text =
            name == std::string_view(kMainFile) ? moved_settings(*old, path, path, moves) : moved_rules(*old, path, path, moves);
        if (text != *old) base::write_file_durably(path, text, modes.file);
    }
    for (const auto& content : contents) {
        const auto& path = moves.at(content.file.path);
        base::create_directories_durably(path.parent_path(), modes.folder);
        if (fs::exists(fs::symlink_status(path))) fs::rename(path, free_name(path, ".from-data"));
        base::write_file_durably(path, rewrite(content, path), (content.mode & modes.file) | 0600u);
        if (is_settings(content)) make_included_folders(content.text, path.parent_path(), modes);
        notes.push_back(fmt::format("{} of the backup's host is now {}", content.file.path, path.string()));
    }
    if (!fs::exists(data_directory / kMainFile)) write_smallest(data_directory, modes, notes);
    return notes;
}

void check_configuration_at(const repository::Repository& repository, const repository::Backup& backup, const fs::path& folder) {
    for (const auto& content : read_contents(repository, backup)) {
        const auto path = folder / content.file.stored;
        if (is_placed(path, content)) continue;
        std::error_code error;
        const auto there = fs::symlink_status(path, error);
        if (error && there.type() == fs::file_type::none)
            throw base::SystemFailure(FailureKind::operation, fmt::format("configuration cannot be put at {}", path.string()),
                                      error.value(),
                                      "run the restore as a user that may write there, or name another folder with --config-to");
        if (fs::exists(there))
            throw Failure(FailureKind::operation,
                          fmt::format("a configuration file is there already, with other content: {}", path.string()),
                          "move it away, or name another folder with --config-to");
        require_writable(path);
    }
}

std::vector<std::string> place_configuration_at(const repository::Repository& repository, const repository::Backup& backup,
                                                const fs::path& folder) {
    check_configuration_at(repository, backup, folder);
    const auto contents = read_contents(repository, backup);
    std::vector<std::string> notes;
    for (const auto& content : contents) {
        const auto path = folder / content.file.stored;
        if (is_placed(path, content)) {
            notes.push_back(fmt::format("{} is there already, as the backup has it", path.string()));
            continue;
        }
        base::create_directories_durably(path.parent_path(), 0755);
        base::write_file_durably(path, content.text, content.mode | 0600u);
        notes.push_back(fmt::format("restored {}", path.string()));
    }
    if (contents.empty()) notes.push_back("the backup holds no configuration from outside the data directory");
    return notes;
}

}  // namespace howdah::restore
