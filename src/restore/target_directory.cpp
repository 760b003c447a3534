#include "restore/target_directory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"

namespace howdah::restore {

namespace {

using base::Failure;
using base::FailureKind;
namespace fs = std::filesystem;

std::string mark_text(const std::string& repository_id, const repository::Root& root) {
    return fmt::format("Howdah is restoring backup {} of repository {} into this folder and has not finished.\n", root.id, repository_id);
}

enum class Found { absent, empty, marked, other_restore, foreign };

/// Whether the text is the mark of another backup's restore.
bool marks_other(const std::string& text) { return text.starts_with("Howdah is restoring backup ") && text.ends_with(" into this folder and has not finished.\n"); }

/// Whether the folder holds nothing but the beginning of this mark: a run that was killed while it wrote it.
bool holds_only_begun_mark(const fs::path& folder, const std::string& text, const std::string& mark) {
    return mark.starts_with(text) && std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1;
}

Found look(const fs::path& folder, const std::string& mark) {
    std::error_code error;
    const auto status = fs::symlink_status(folder, error);
    if (status.type() == fs::file_type::not_found) return Found::absent;
    if (error) throw base::SystemFailure(FailureKind::operation, fmt::format("cannot look at {}", folder.string()), error.value());
    if (!fs::is_directory(folder, error)) return Found::foreign;
    const fs::directory_iterator items(folder, error);
    if (error) throw base::SystemFailure(FailureKind::operation, fmt::format("cannot read the folder {}", folder.string()), error.value());
    if (items == fs::directory_iterator()) return Found::empty;
    const auto there = base::read_file_if_exists(folder / kMark, {4096});
    const bool own = there && (*there == mark || holds_only_begun_mark(folder, *there, mark));
    if (!own && !(there && marks_other(*there))) return Found::foreign;
    // A server that was started has renamed backup_label: what lies here is its data now, whatever the mark says.
    const bool started = fs::exists(folder / "postmaster.pid") || (fs::exists(folder / "global/pg_control") && !fs::exists(folder / "backup_label"));
    return started ? Found::foreign : own ? Found::marked : Found::other_restore;
}

/// Everything but the mark, which goes last of all.
void empty_folder(const fs::path& folder) {
    for (const auto& item : fs::directory_iterator(folder))
        if (item.path().filename() != kMark) fs::remove_all(item.path());
    base::fault_point("restore.emptied");
}

/// In place, never renamed into it: a run killed here leaves a beginning of the mark, and no file that nobody knows.
void write_mark(const fs::path& folder, const std::string& mark) {
    const auto file = base::File::open(folder / kMark, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    base::fault_point("restore.mark_begun");
    file.write_at(base::as_bytes(mark), 0);
    file.sync();
    base::sync_directory(folder);
    base::fault_point("restore.marked");
}

/// Which backup's restore a mark is of: "20261121T050000Z-1a2b of repository …".
std::string marked_backup(const fs::path& folder) {
    const auto text = base::read_file_if_exists(folder / kMark, {4096}).value_or(std::string());
    constexpr std::string_view kBefore = "Howdah is restoring backup ";
    return text.substr(std::min(kBefore.size(), text.size()), text.find(" into this") - kBefore.size());
}

std::vector<fs::path> all(const Destinations& destinations) {
    std::vector<fs::path> folders{destinations.data_directory};
    for (const auto& [oid, folder] : destinations.tablespaces) folders.push_back(folder);
    return folders;
}

const repository::TablespaceReference& find_mapped(const repository::Root& root, const std::string& name, const std::string& mapping) {
    for (const auto& space : root.tablespaces)
        if (space.name == name || space.location == name || std::to_string(space.oid) == name) return space;
    std::string known;
    for (const auto& space : root.tablespaces) known += fmt::format("{}{} ({}, {})", known.empty() ? "" : "; ", space.name, space.oid, space.location);
    throw Failure(FailureKind::usage, fmt::format("no tablespace of the backup fits the mapping {}", mapping),
                  known.empty() ? "this backup has no tablespaces" : "it has: " + known);
}

}  // namespace

Destinations decide_destinations(const repository::Root& root, const fs::path& data_directory, const std::vector<std::string>& mappings, bool sandbox) {
    Destinations destinations{.data_directory = fs::absolute(data_directory).lexically_normal(), .tablespaces = {}};
    auto& chosen = destinations.tablespaces;
    for (const auto& space : root.tablespaces) {
        if (space.location.empty()) continue;
        const auto beside = destinations.data_directory.string() + "-tablespaces/" + std::to_string(space.oid);
        chosen[space.oid] = sandbox && base::guard("T16.sandbox_tablespaces") ? fs::path(beside) : fs::path(space.location);
    }
    for (const auto& mapping : mappings) {
        const auto equals = mapping.rfind('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == mapping.size())
            throw Failure(FailureKind::usage, fmt::format("not a tablespace mapping: {}", mapping), "write NAME=DIR, OID=DIR or OLDPATH=DIR");
        chosen[find_mapped(root, mapping.substr(0, equals), mapping).oid] = fs::absolute(mapping.substr(equals + 1)).lexically_normal();
    }
    std::set<fs::path> seen{destinations.data_directory};
    for (const auto& [oid, folder] : chosen)
        if (!seen.insert(folder).second)
            throw Failure(FailureKind::usage, fmt::format("two destinations are the same folder: {}", folder.string()), "map each tablespace to a folder of its own");
    return destinations;
}

std::vector<fs::path> check_destinations(const Destinations& destinations, const std::string& repository_id, const repository::Root& root) {
    const auto mark = mark_text(repository_id, root);
    std::vector<fs::path> marked;
    for (const auto& folder : all(destinations)) {
        const auto found = look(folder, mark);
        if (found == Found::other_restore)
            throw Failure(FailureKind::operation,
                          fmt::format("the target is not empty: in {} the restore of another backup has not finished: {}", folder.string(), marked_backup(folder)),
                          "finish that one by naming its backup with --backup, or remove the folder if nobody needs it, or name another folder with --into");
        if (found == Found::foreign)
            throw Failure(FailureKind::operation, fmt::format("the target is not empty: {}", folder.string()),
                          folder == destinations.data_directory ? "name an empty or new folder with --into; howdah never writes over anything"
                                                                : "map this tablespace to an empty folder with --tablespace NAME=DIR");
        if (found == Found::marked) marked.push_back(folder);
    }
    return marked;
}

void prepare_destinations(const Destinations& destinations, const std::string& repository_id, const repository::Root& root) {
    const auto mark = mark_text(repository_id, root);
    for (const auto& folder : check_destinations(destinations, repository_id, root)) empty_folder(folder);
    for (const auto& folder : all(destinations)) {
        base::create_directories_durably(folder, 0700);
        write_mark(folder, mark);
    }
}

void unmark_destinations(const Destinations& destinations) {
    // The data directory comes first: without its mark the restore counts as whole, and a mark left in a tablespace disturbs nobody.
    for (const auto& folder : all(destinations)) {
        fs::remove(folder / kMark);
        base::sync_directory(folder);
    }
}

}  // namespace howdah::restore
