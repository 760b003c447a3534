#include "restore/target_directory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <set>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "restore/earlier_copy.hpp"

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
base::File claim(const fs::path& folder, const std::function<bool()>& still_ours) {
    bool made = false;
    auto mark = open_mark(folder / kMark, made);
    if (!try_lock(mark, folder, LOCK_EX)) refuse_held(folder);
    struct stat held{}, there{};
    const bool same = ::fstat(mark.descriptor(), &held) == 0 && ::lstat((folder / kMark).c_str(), &there) == 0 &&
                      held.st_ino == there.st_ino && held.st_dev == there.st_dev;
    try {
        if (same && still_ours()) return mark;
    } catch (...) {
        if (made) fs::remove(folder / kMark);
        throw;
    }
    if (same && made) fs::remove(folder / kMark);
    refuse_held(folder);
}

/// In place, never renamed into it, and over another backup's mark at once: a run killed here leaves a beginning of the mark, and no file that nobody knows.
void write_mark(const base::File& file, const fs::path& folder, const std::string& mark) {
    const auto old = base::read_file_if_exists(folder / kMark, {4096}).value_or(std::string());
    // A whole mark is never cut: without it, and without pg_control, nobody would know what lies here.
    if (old.size() != mark.size() && ::ftruncate(file.descriptor(), 0) != 0)
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

/// Whether the folder bears the mark of another backup of the same cluster and repository: nothing else can have made what is in it.
bool marked_by_sibling(const fs::path& folder, const repository::Repository& repository, const repository::ClusterArea& area) {
    const auto text = marked_backup(folder);
    const auto space = text.find(' ');
    return text.ends_with(" of repository " + repository.id()) && text.find_first_of("/.") == std::string::npos &&
           repository.store().exists(area.root(text.substr(0, space)));
}

[[noreturn]] void refuse_unfinished_other(const fs::path& folder) {
    throw Failure(FailureKind::operation,
                  fmt::format("the target is not empty: in {} the restore of another backup has not finished: {}", folder.string(),
                              marked_backup(folder)),
                  "finish that one by naming its backup with --backup, go on to this one with --delta, or name another folder with --into");
}

/// What is to be done in one destination, or why nothing may be: false when it is new or empty, true when what lies there is this
/// restore's to change.
bool holds_own_files(const Destinations& destinations, const fs::path& folder, const repository::Repository& repository,
                     const repository::Backup& backup, bool delta) {
    const auto found = look(folder, mark_text(repository.id(), backup.root));
    if (found == Found::absent || found == Found::empty) return false;
    if (found == Found::marked) return true;
    const bool is_data = folder == destinations.data_directory;
    std::error_code error;
    const bool is_folder = fs::is_directory(folder, error);
    if (delta && is_folder) {
        if (found == Found::other_restore && marked_by_sibling(folder, repository, backup.area)) return true;
        if (is_data) {
            require_earlier_copy(folder, backup.root.system_identifier);
            return true;
        }
        if (links_tablespace(destinations.data_directory, folder)) {
            require_no_server_behind(folder);
            return true;
        }
    }
    if (found == Found::other_restore) refuse_unfinished_other(folder);
    if (!is_folder)
        throw Failure(FailureKind::operation, fmt::format("the target is no folder: {}", folder.string()),
                      "name an empty or new folder with --into or --tablespace");
    throw Failure(FailureKind::operation, fmt::format("the target is not empty: {}", folder.string()),
                  is_data
                      ? "name an empty or new folder with --into; howdah never writes over anything unless --delta brings an earlier copy "
                        "of the same cluster to the backup"
                      : "map this tablespace to an empty folder with --tablespace NAME=DIR");
}

/// Where the data directory's own link of a tablespace leads; empty without one.
fs::path linked_tablespace(const fs::path& data_directory, std::uint32_t oid) {
    std::error_code error;
    const auto link = data_directory / "pg_tblspc" / std::to_string(oid);
    const auto target = fs::read_symlink(link, error);
    return error ? fs::path() : (link.parent_path() / target).lexically_normal();
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
                                 bool sandbox, bool own_links) {
    Destinations destinations{.data_directory = fs::absolute(data_directory).lexically_normal(), .tablespaces = {}};
    auto& chosen = destinations.tablespaces;
    for (const auto& space : root.tablespaces) {
        if (space.location.empty()) continue;
        const auto beside = destinations.data_directory.string() + "-tablespaces/" + std::to_string(space.oid);
        const auto linked = own_links ? linked_tablespace(destinations.data_directory, space.oid) : fs::path();
        chosen[space.oid] = sandbox && base::guard("T16.sandbox_tablespaces") ? fs::path(beside)
                            : !linked.empty()                                 ? linked
                                                                              : fs::path(space.location);
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

std::vector<fs::path> check_destinations(const Destinations& destinations, const repository::Repository& repository,
                                         const repository::Backup& backup, bool delta) {
    std::vector<fs::path> filled;
    for (const auto& folder : all(destinations)) {
        if (!holds_own_files(destinations, folder, repository, backup, delta)) continue;
        if (is_held(folder)) refuse_held(folder);
        filled.push_back(folder);
    }
    return filled;
}

Prepared prepare_destinations(const Destinations& destinations, const repository::Repository& repository, const repository::Backup& backup,
                              bool delta) {
    const auto mark = mark_text(repository.id(), backup.root);
    const auto folders = all(destinations);
    Prepared prepared;
    prepared.filled = check_destinations(destinations, repository, backup, delta);
    for (const auto& folder : folders) {
        base::create_directories_durably(folder, 0700);
        prepared.claims.push_back(claim(folder, [&] { return holds_own_files(destinations, folder, repository, backup, delta); }));
    }
    for (std::size_t i = 0; i < folders.size(); ++i) write_mark(prepared.claims[i], folders[i], mark);
    return prepared;
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
