#include "restore/target_directory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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
bool marks_other(const std::string& text) {
    return text.starts_with("Howdah is restoring backup ") && text.ends_with(" into this folder and has not finished.\n");
}

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
    const bool started =
        fs::exists(folder / "postmaster.pid") || (fs::exists(folder / "global/pg_control") && !fs::exists(folder / "backup_label"));
    return started ? Found::foreign : own ? Found::marked : Found::other_restore;
}

/// Everything but the mark, which goes last of all.
void empty_folder(const fs::path& folder) {
    for (const auto& item : fs::directory_iterator(folder))
        if (item.path().filename() != kMark) fs::remove_all(item.path());
    base::fault_point("restore.emptied");
}

[[noreturn]] void refuse_held(const fs::path& folder) {
    throw Failure(FailureKind::locked, fmt::format("another restore is at work in {}", folder.string()),
                  "wait until it ends, or name another folder with --into");
}

bool try_lock(const base::File& mark, const fs::path& folder, int how) {
    if (::flock(mark.descriptor(), how | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    throw base::SystemFailure(FailureKind::operation, fmt::format("cannot lock the mark in {}", folder.string()), errno,
                              "choose a folder on a file system with locks");
}

/// Whether a live run holds the folder's mark.
bool is_held(const fs::path& folder) {
    const auto mark = base::File::open_if_exists(folder / kMark, O_RDONLY | O_NOFOLLOW);
    return mark && !try_lock(*mark, folder, LOCK_SH);
}

/// The folder's mark, made when it is not there.
base::File open_mark(const fs::path& path, bool& made) {
    made = false;
    if (auto there = base::File::open_if_exists(path, O_RDWR | O_NOFOLLOW)) return std::move(*there);
    made = true;
    return base::File::open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

/// Locks the folder's mark, then looks again: another run may have ended in between, and what lies here is its work then.
base::File claim(const fs::path& folder, const std::string& text) {
    bool made = false;
    auto mark = open_mark(folder / kMark, made);
    if (!try_lock(mark, folder, LOCK_EX)) refuse_held(folder);
    struct stat held{}, there{};
    const bool same = ::fstat(mark.descriptor(), &held) == 0 && ::lstat((folder / kMark).c_str(), &there) == 0 &&
                      held.st_ino == there.st_ino && held.st_dev == there.st_dev;
    if (same && look(folder, text) == Found::marked) return mark;
    if (same && made) fs::remove(folder / kMark);
    refuse_held(folder);
}

/// In place, never renamed into it: a run killed here leaves a beginning of the mark, and no file that nobody knows.
void write_mark(const base::File& file, const fs::path& folder, const std::string& mark) {
    if (::ftruncate(file.descriptor(), 0) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot mark {}", folder.string()), errno);
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
    for (const auto& space : root.tablespaces)
        known += fmt::format("{}{} ({}, {})", known.empty() ? "" : "; ", space.name, space.oid, space.location);
    throw Failure(FailureKind::usage, fmt::format("no tablespace of the backup fits the mapping {}", mapping),
                  known.empty() ? "this backup has no tablespaces" : "it has: " + known);
}

}  // namespace

Destinations decide_destinations(const repository::Root& root, const fs::path& data_directory, const std::vector<std::string>& mappings,
                                 bool sandbox) {
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
            throw Failure(FailureKind::usage, fmt::format("not a tablespace mapping: {}", mapping),
                          "write NAME=DIR, OID=DIR or OLDPATH=DIR");
        chosen[find_mapped(root, mapping.substr(0, equals), mapping).oid] = fs::absolute(mapping.substr(equals + 1)).lexically_normal();
    }
    std::set<fs::path> seen{destinations.data_directory};
    for (const auto& [oid, folder] : chosen)
        if (!seen.insert(folder).second)
            throw Failure(FailureKind::usage, fmt::format("two destinations are the same folder: {}", folder.string()),
                          "map each tablespace to a folder of its own");
    return destinations;
}

std::vector<fs::path> check_destinations(const Destinations& destinations, const std::string& repository_id, const repository::Root& root) {
    const auto mark = mark_text(repository_id, root);
    std::vector<fs::path> marked;
    for (const auto& folder : all(destinations)) {
        const auto found = look(folder, mark);
        if (found == Found::other_restore)
            throw Failure(
                FailureKind::operation,
                fmt::format("the target is not empty: in {} the restore of another backup has not finished: {}", folder.string(),
                            marked_backup(folder)),
                "finish that one by naming its backup with --backup, or remove the folder if nobody needs it, or name another folder with --into");
        if (std::error_code error; found == Found::foreign && !fs::is_directory(folder, error))
            throw Failure(FailureKind::operation, fmt::format("the target is no folder: {}", folder.string()),
                          "name an empty or new folder with --into or --tablespace");
        if (found == Found::foreign)
            throw Failure(FailureKind::operation, fmt::format("the target is not empty: {}", folder.string()),
                          folder == destinations.data_directory
                              ? "name an empty or new folder with --into; howdah never writes over anything"
                              : "map this tablespace to an empty folder with --tablespace NAME=DIR");
        if (found != Found::marked) continue;
        if (is_held(folder)) refuse_held(folder);
        marked.push_back(folder);
    }
    return marked;
}

Claims prepare_destinations(const Destinations& destinations, const std::string& repository_id, const repository::Root& root) {
    const auto mark = mark_text(repository_id, root);
    const auto folders = all(destinations);
    check_destinations(destinations, repository_id, root);
    Claims claims;
    for (const auto& folder : folders) {
        base::create_directories_durably(folder, 0700);
        claims.push_back(claim(folder, mark));
    }
    for (const auto& folder : folders) empty_folder(folder);
    for (std::size_t i = 0; i < folders.size(); ++i) write_mark(claims[i], folders[i], mark);
    return claims;
}

void unmark_destinations(const Destinations& destinations, Claims claims) {
    // The data directory comes first: without its mark the restore counts as whole, and a mark left in a tablespace disturbs nobody.
    for (const auto& folder : all(destinations)) {
        fs::remove(folder / kMark);
        base::sync_directory(folder);
    }
    claims.clear();
}

}  // namespace howdah::restore
