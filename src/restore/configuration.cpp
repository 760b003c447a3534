#include "restore/configuration.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <sstream>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "repository/pack_reader.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

constexpr const char* kOutsideRoot = "outside";
constexpr const char* kMainFile = "postgresql.conf";

struct Content {
    repository::OutsideFile file;
    std::string text;
    std::uint32_t mode = 0600;
};

std::vector<Content> read_contents(const repository::Repository& repository, const repository::Backup& backup) {
    std::map<std::string, repository::FileEntry> entries;
    for (const auto& reference : backup.root.trees)
        if (reference.root == kOutsideRoot)
            for (auto& entry : repository::read_tree(repository, backup.area, reference.name).entries) entries.emplace(entry.path, std::move(entry));
    std::vector<Content> contents;
    for (const auto& file : backup.root.outside) {
        const auto entry = entries.find(file.stored);
        if (entry == entries.end()) continue;  // It vanished while the backup ran.
        const auto extents = repository::read_extents(repository, backup.area, entry->second);
        contents.push_back({file, repository::read_bytes(repository, backup.area, extents, entry->second.size), entry->second.mode});
    }
    return contents;
}

/// Comments out the settings that name places of the old host.
std::string without_places(const std::string& text) {
    static constexpr std::array<std::string_view, 5> kPlaces{"data_directory", "config_file", "hba_file", "ident_file", "external_pid_file"};
    std::istringstream in(text);
    std::string out;
    for (std::string line; std::getline(in, line);) {
        const auto begin = std::min(line.find_first_not_of(" \t"), line.size());
        const auto end = std::min(line.find_first_of(" \t=#", begin), line.size());
        const auto name = std::string_view(line).substr(begin, end - begin);
        const bool place = std::find(kPlaces.begin(), kPlaces.end(), name) != kPlaces.end();
        out += (place ? "# before the restore: " : "") + line + "\n";
    }
    return out;
}

/// Folders named by include_dir: an empty one is in no list of files, yet the server refuses to start without it.
void make_included_folders(const std::string& text, const fs::path& base_folder, const ClusterModes& modes) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string name, value;
        words >> name;
        if (name != "include_dir") continue;
        std::getline(words, value);
        const auto begin = value.find('\'');
        const auto end = begin == std::string::npos ? begin : value.find('\'', begin + 1);
        if (end == std::string::npos) continue;
        const fs::path folder = value.substr(begin + 1, end - begin - 1);
        if (folder.is_relative()) base::create_directories_durably(base_folder / folder, modes.folder);
    }
}

/// The name inside the data directory: relative to the main file's folder where it lies below that.
fs::path inside_name(const Content& content, const fs::path& main_folder) {
    if (content.file.role == "config_file") return kMainFile;
    if (content.file.role == "hba_file") return "pg_hba.conf";
    if (content.file.role == "ident_file") return "pg_ident.conf";
    const auto relative = fs::path(content.file.path).lexically_relative(main_folder);
    if (!main_folder.empty() && !relative.empty() && *relative.begin() != "..") return relative;
    return fs::path("outside") / content.file.stored;
}

bool is_settings(const Content& content) { return content.file.role == "config_file" || content.file.role == "include"; }

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
        throw Failure(FailureKind::operation, fmt::format("configuration cannot be put at {}: {} is no folder", path.string(), folder.string()),
                      "name another folder with --config-to");
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("configuration cannot be put into {}", folder.string()), errno,
                                  "run the restore as a user that may write there, or name another folder with --config-to");
}

void write_smallest(const fs::path& data_directory, const ClusterModes& modes, std::vector<std::string>& notes) {
    base::write_file_durably(data_directory / kMainFile, "# written by howdah restore: the backup held no postgresql.conf\n", modes.file);
    if (!fs::exists(data_directory / "pg_hba.conf"))
        base::write_file_durably(data_directory / "pg_hba.conf", "# written by howdah restore: only the same user over the socket\nlocal all all peer\n", modes.file);
    if (!fs::exists(data_directory / "pg_ident.conf")) base::write_file_durably(data_directory / "pg_ident.conf", "", modes.file);
    notes.push_back("the backup held no postgresql.conf: a smallest one was written; compare settings before you let applications in");
}

}  // namespace

std::vector<std::string> place_configuration_inside(const repository::Repository& repository, const repository::Backup& backup,
                                                    const fs::path& data_directory, const ClusterModes& modes) {
    std::vector<std::string> notes;
    const auto contents = read_contents(repository, backup);
    const auto main = std::find_if(contents.begin(), contents.end(), [](const Content& content) { return content.file.role == "config_file"; });
    const auto main_folder = main == contents.end() ? fs::path() : fs::path(main->file.path).parent_path();
    for (const auto& content : contents) {
        const auto path = data_directory / inside_name(content, main_folder);
        base::create_directories_durably(path.parent_path(), modes.folder);
        if (fs::exists(path)) fs::rename(path, path.string() + ".from-data");
        base::write_file_durably(path, is_settings(content) ? without_places(content.text) : content.text, (content.mode & modes.file) | 0600u);
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
        if (fs::exists(fs::symlink_status(path)))
            throw Failure(FailureKind::operation, fmt::format("a configuration file is there already, with other content: {}", path.string()),
                          "move it away, or name another folder with --config-to");
        require_writable(path);
    }
}

std::vector<std::string> place_configuration_at(const repository::Repository& repository, const repository::Backup& backup, const fs::path& folder) {
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
