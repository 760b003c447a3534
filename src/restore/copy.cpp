#include "restore/copy.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/workers.hpp"
#include "repository/pack_reader.hpp"

namespace howdah::restore {

namespace {

using base::FailureKind;
using repository::EntryType;
using repository::FileEntry;
namespace fs = std::filesystem;

constexpr const char* kControlPath = "global/pg_control";
/// Files of up to this size are opened for each of their pieces; larger ones stay open while a worker is at them.
constexpr std::uint64_t kWritebackBytes = 256 * 1024;

/// A file to be written and where its bytes come from.
struct Output {
    fs::path path;
    std::uint64_t size = 0;
    std::uint32_t mode = 0600;
    bool stored = false;  ///< Some of its bytes come from packs, so that the workers make it.
};

struct Work {
    std::vector<Output> files;
    std::map<std::string, std::vector<repository::Piece>> packs;
    std::uint64_t bytes = 0;
};

/// Where a path of the backup goes: "pg_tblspc/16400/…" through its destination, all else below the data directory.
fs::path place(const Destinations& destinations, const std::string& path) {
    constexpr std::string_view kSpaces = "pg_tblspc/";
    if (path.starts_with(kSpaces)) {
        const auto slash = path.find('/', kSpaces.size());
        const auto oid = static_cast<std::uint32_t>(std::strtoul(path.c_str() + kSpaces.size(), nullptr, 10));
        const auto mapped = destinations.tablespaces.find(oid);
        if (mapped != destinations.tablespaces.end() && slash != std::string::npos) return mapped->second / path.substr(slash + 1);
    }
    return destinations.data_directory / path;
}

void make_folder(const fs::path& folder, std::uint32_t mode) {
    if (::mkdir(folder.c_str(), mode) != 0) {
        if (errno == EEXIST) return;
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot make the folder {}", folder.string()), errno);
    }
    // mkdir takes the umask's bits away.
    if (::chmod(folder.c_str(), mode) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot set the permissions of {}", folder.string()), errno);
}

/// The OID of "pg_tblspc/16400"; none for any other path.
std::optional<std::uint32_t> tablespace_of_link(std::string_view path) {
    constexpr std::string_view kSpaces = "pg_tblspc/";
    if (!path.starts_with(kSpaces)) return std::nullopt;
    const auto digits = path.substr(kSpaces.size());
    std::uint32_t oid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), oid);
    return error == std::errc() && end == digits.data() + digits.size() ? std::optional(oid) : std::nullopt;
}

/// Tablespaces are the only links of a backup. Another one would lead files that follow it out of the restore's folders.
void make_link(const Destinations& destinations, const FileEntry& entry, const std::string& path) {
    const auto oid = tablespace_of_link(path);
    const auto mapped = oid ? destinations.tablespaces.find(*oid) : destinations.tablespaces.end();
    if (mapped == destinations.tablespaces.end())
        throw base::Failure(base::FailureKind::operation,
                            fmt::format("the backup links {} to {}, which is no tablespace of it", path, entry.target),
                            "choose another backup; nothing was written there");
    if (::symlink(mapped->second.c_str(), (destinations.data_directory / path).c_str()) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot make the link {}", path), errno);
}

/// Turns a file's extents into pieces of packs.
void add_file(Work& work, const repository::Repository& repository, const repository::Backup& backup, const FileEntry& entry,
              fs::path path) {
    const auto number = static_cast<std::uint32_t>(work.files.size());
    work.files.push_back({std::move(path), entry.size, entry.mode, false});
    work.bytes += entry.size;
    std::uint64_t offset = 0;
    for (const auto& extent : repository::read_extents(repository, backup.area, entry)) {
        if (!extent.pack.empty()) {
            work.packs[extent.pack].push_back({extent.frame, extent.position, extent.length, number, offset});
            work.files.back().stored = true;
        }
        offset += extent.length;
    }
    if (offset != entry.size)
        throw base::Failure(FailureKind::operation,
                            fmt::format("the backup's map of {} covers {} bytes of {}", entry.path, offset, entry.size),
                            "run `howdah backup verify`");
}

/// Reads the trees: folders and links are made at once, parents before children as trees are sorted by path and the top comes first.
Work lay_out(const repository::Repository& repository, const repository::Backup& backup, const Destinations& destinations,
             CopyResult& result) {
    Work work;
    std::map<std::string, FileEntry> folders;  // All trees' folders, so that parents come first whatever tree they are in.
    std::vector<std::pair<std::string, FileEntry>> links;
    for (const auto& reference : backup.root.trees) {
        if (reference.root == repository::kOutsideRoot) continue;
        for (auto& entry : repository::read_tree(repository, backup.area, reference.name).entries) {
            auto path = reference.root.empty() ? entry.path : reference.root + "/" + entry.path;
            if (entry.type == EntryType::directory)
                folders.emplace(std::move(path), std::move(entry));
            else if (entry.type == EntryType::symlink)
                links.emplace_back(std::move(path), std::move(entry));
            else if (path == kControlPath)
                result.control = repository::read_bytes(repository, backup.area, entry.extents, entry.size);
            else
                add_file(work, repository, backup, entry, place(destinations, path));
        }
    }
    for (const auto& [path, entry] : folders)
        if (!path.starts_with("pg_tblspc/")) make_folder(destinations.data_directory / path, entry.mode);
    for (const auto& [path, entry] : links) make_link(destinations, entry, path);
    for (const auto& [path, entry] : folders)
        if (path.starts_with("pg_tblspc/")) make_folder(place(destinations, path), entry.mode);
    const auto wal = folders.find("pg_wal");
    make_folder(destinations.data_directory / "pg_wal" / "archive_status", wal == folders.end() ? 0700u : wal->second.mode);
    result.files = work.files.size() + 1;
    result.bytes = {work.bytes + result.control.size()};
    return work;
}

/// One worker: scatters packs into files, keeping the file it wrote last open.
class Scatterer {
public:
    explicit Scatterer(const std::vector<Output>& files) : files_(files) {}

    void write(std::uint32_t number, std::uint64_t offset, std::span<const std::byte> bytes) {
        if (open_ != number) {
            file_ = base::File::open(files_[number].path, O_WRONLY | O_CREAT | O_NOFOLLOW, files_[number].mode | 0200u);
            open_ = number;
        }
        file_.write_at(bytes, offset);
        if (bytes.size() >= kWritebackBytes)
            ::sync_file_range(file_.descriptor(), static_cast<off64_t>(offset), static_cast<off64_t>(bytes.size()), SYNC_FILE_RANGE_WRITE);
    }

private:
    const std::vector<Output>& files_;
    base::File file_;
    std::optional<std::uint32_t> open_;
};

void scatter_packs(const repository::Repository& repository, const repository::ClusterArea& area, Work& work, unsigned jobs,
                   base::Progress& progress, const base::Cancellation& cancellation) {
    std::vector<std::pair<const std::string*, std::vector<repository::Piece>*>> packs;
    for (auto& [name, pieces] : work.packs) packs.emplace_back(&name, &pieces);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto run = [&] {
        try {
            Scatterer scatterer(work.files);
            repository::SealContext context;
            for (std::size_t i = next++; i < packs.size() && !failed; i = next++) {
                repository::read_pieces(repository, area, *packs[i].first, std::move(*packs[i].second), context,
                                        [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
                                            cancellation.check("the restore");
                                            scatterer.write(file, offset, bytes);
                                            progress.add({bytes.size()});
                                        });
                base::fault_point("restore.pack_scattered");
            }
        } catch (...) {
            std::lock_guard lock(failure_mutex);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    };
    base::run_workers(jobs, run);
    if (failure) std::rethrow_exception(failure);
}

/// Exact sizes (a file may end in zeros that no pack holds, or be empty) and exact modes. A file that the workers made and that is gone is
/// a failure, never an empty file in its place.
void settle_files(const Work& work) {
    for (const auto& output : work.files) {
        auto file = base::File::open(output.path, O_WRONLY | O_NOFOLLOW | (output.stored ? 0 : O_CREAT | O_EXCL), output.mode | 0200u);
        if (file.size() != output.size && ::ftruncate(file.descriptor(), static_cast<off_t>(output.size)) != 0)
            throw base::SystemFailure(FailureKind::operation, fmt::format("cannot set the size of {}", output.path.string()), errno);
        if (::fchmod(file.descriptor(), output.mode) != 0)
            throw base::SystemFailure(FailureKind::operation, fmt::format("cannot set the permissions of {}", output.path.string()), errno);
    }
}

}  // namespace

void sync_destinations(const Destinations& destinations) {
    std::set<dev_t> done;
    auto sync = [&](const fs::path& folder) {
        const auto handle = base::File::open(folder, O_RDONLY | O_DIRECTORY);
        struct stat facts{};
        if (::fstat(handle.descriptor(), &facts) == 0 && !done.insert(facts.st_dev).second) return;
        if (::syncfs(handle.descriptor()) != 0)
            throw base::SystemFailure(FailureKind::operation, fmt::format("cannot make the files below {} durable", folder.string()),
                                      errno);
    };
    sync(destinations.data_directory);
    for (const auto& [oid, folder] : destinations.tablespaces) sync(folder);
}

CopyResult copy_out(const repository::Repository& repository, const repository::Backup& backup, const Destinations& destinations,
                    unsigned jobs, base::Progress& progress, const base::Cancellation& cancellation) {
    CopyResult result;
    auto work = lay_out(repository, backup, destinations, result);
    progress.set_total({work.bytes});
    base::fault_point("restore.laid_out");
    scatter_packs(repository, backup.area, work, jobs, progress, cancellation);
    base::fault_point("restore.scattered");
    settle_files(work);
    sync_destinations(destinations);
    base::fault_point("restore.synced");
    return result;
}

}  // namespace howdah::restore
