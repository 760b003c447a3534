#include "restore/room.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

/// The folder itself, or the nearest one above it that exists.
fs::path existing(fs::path path) {
    std::error_code error;
    while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
    return path;
}

void require_writable(const fs::path& destination, const fs::path& at) {
    if (::access(at.c_str(), W_OK | X_OK) == 0) return;
    const int error = errno;
    throw base::SystemFailure(FailureKind::operation,
                              fmt::format("cannot restore into {}: {} cannot be written", destination.string(), at.string()), error,
                              "run the restore as a user that may write there, or name another folder");
}

/// Bytes on disk below a destination: the work of a killed run, which goes first.
std::uint64_t bytes_below(const fs::path& folder) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        struct stat facts{};
        if (::lstat(entry->path().c_str(), &facts) == 0 && S_ISREG(facts.st_mode))
            bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
    }
    return bytes;
}

/// Plain bytes for each destination: a tablespace's trees lie below "pg_tblspc/OID".
std::map<fs::path, std::uint64_t> needs(const Destinations& destinations, const repository::Root& root) {
    std::map<fs::path, std::uint64_t> bytes{{destinations.data_directory, 0}};
    for (const auto& [oid, folder] : destinations.tablespaces) bytes[folder] = 0;
    for (const auto& tree : root.trees) {
        auto folder = destinations.data_directory;
        for (const auto& [oid, place] : destinations.tablespaces)
            if (tree.root.starts_with(fmt::format("pg_tblspc/{}/", oid))) folder = place;
        bytes[folder] += tree.bytes.count;
    }
    return bytes;
}

long type_of_file_system(const fs::path& path) {
    struct statfs facts{};
    return ::statfs(path.c_str(), &facts) == 0 ? static_cast<long>(facts.f_type) : 0;
}

struct Demand {
    fs::path destination, at;
    std::uint64_t needed = 0, freed = 0;
};

}  // namespace

Room judge_room(std::uint64_t needed, std::uint64_t free, long type) {
    if (needed <= free) return Room::enough;
    constexpr std::array<long, 3> kCompressing{0x9123683E, 0x2FC12FC1, 0xCA451A4E};  // btrfs and bcachefs: linux/magic.h; ZFS: zfs.h.
    return std::find(kCompressing.begin(), kCompressing.end(), type) != kCompressing.end() ? Room::unknown : Room::too_little;
}

void require_room(const Destinations& destinations, const repository::Root& root) {
    std::map<dev_t, Demand> demands;
    for (const auto& [destination, needed] : needs(destinations, root)) {
        const auto at = existing(destination);
        require_writable(destination, at);
        struct stat facts{};
        if (::stat(at.c_str(), &facts) != 0)
            throw base::SystemFailure(FailureKind::operation, fmt::format("cannot look at {}", at.string()), errno);
        auto& demand = demands[facts.st_dev];
        if (demand.destination.empty()) demand = {destination, at, 0, 0};
        demand.needed += needed;
        if (at == destination) demand.freed += bytes_below(destination);
    }
    for (const auto& [device, demand] : demands) {
        const auto free = base::space_of(demand.at).available.count + demand.freed;
        const auto room = judge_room(demand.needed, free, type_of_file_system(demand.at));
        if (room == Room::enough) continue;
        if (room == Room::unknown) {
            base::log_warning("the backup fits into {} only if its file system compresses it: {} are needed, {} are free",
                              demand.destination.string(), base::text(base::Bytes{demand.needed}), base::text(base::Bytes{free}));
            continue;
        }
        throw Failure(FailureKind::operation,
                      fmt::format("the backup does not fit into {}: {} are needed, {} are free", demand.destination.string(),
                                  base::text(base::Bytes{demand.needed}), base::text(base::Bytes{free})),
                      "make room, or name a folder on another file system");
    }
}

}  // namespace howdah::restore
