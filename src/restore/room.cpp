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
#include <utility>
#include <vector>

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
std::map<fs::path, std::uint64_t> needs(const Destinations& destinations, const repository::Root& root, const WrittenBytes& bytes_of) {
    std::map<fs::path, std::uint64_t> bytes{{destinations.data_directory, 0}};
    for (const auto& [oid, folder] : destinations.tablespaces) bytes[folder] = 0;
    for (const auto& tree : root.trees) {
        auto folder = destinations.data_directory;
        for (const auto& [oid, place] : destinations.tablespaces)
            if (tree.root.starts_with(fmt::format("pg_tblspc/{}/", oid))) folder = place;
        bytes[folder] += bytes_of(tree);
    }
    return bytes;
}

long type_of_file_system(const fs::path& path) {
    struct statfs facts{};
    return ::statfs(path.c_str(), &facts) == 0 ? static_cast<long>(facts.f_type) : 0;
}

struct Demand {
    fs::path destination, at;
    std::uint64_t needed = 0, free = 0;
    Room room = Room::enough;
};

/// What is needed of each file system.
std::vector<Demand> demands(const Destinations& destinations, const repository::Root& root, const WrittenBytes& bytes_of) {
    std::map<dev_t, Demand> by_device;
    for (const auto& [destination, needed] : needs(destinations, root, bytes_of)) {
        const auto at = existing(destination);
        require_writable(destination, at);
        struct stat facts{};
        if (::stat(at.c_str(), &facts) != 0)
            throw base::SystemFailure(FailureKind::operation, fmt::format("cannot look at {}", at.string()), errno);
        auto& demand = by_device[facts.st_dev];
        if (demand.destination.empty()) demand = {destination, at, 0, base::space_of(at).available.count, Room::enough};
        demand.needed += needed;
        if (at == destination) demand.free += bytes_below(destination);
    }
    std::vector<Demand> demands;
    for (auto& [device, demand] : by_device) {
        demand.room = judge_room(demand.needed, demand.free, type_of_file_system(demand.at));
        demands.push_back(std::move(demand));
    }
    return demands;
}

}  // namespace

Room judge_room(std::uint64_t needed, std::uint64_t free, long type) {
    if (needed <= free) return Room::enough;
    constexpr std::array<long, 3> kCompressing{0x9123683E, 0x2FC12FC1, 0xCA451A4E};  // btrfs and bcachefs: linux/magic.h; ZFS: zfs.h.
    return std::find(kCompressing.begin(), kCompressing.end(), type) != kCompressing.end() ? Room::unknown : Room::too_little;
}

void require_room(const Destinations& destinations, const repository::Root& root, const WrittenBytes& written) {
    auto wanted = demands(destinations, root, [](const repository::TreeReference& tree) { return tree.bytes.count; });
    const bool fits = std::ranges::all_of(wanted, [](const Demand& demand) { return demand.room == Room::enough; });
    if (!fits && written) wanted = demands(destinations, root, written);
    for (const auto& demand : wanted) {
        if (demand.room == Room::enough) continue;
        const auto needed = base::text(base::Bytes{demand.needed}), free = base::text(base::Bytes{demand.free});
        if (demand.room == Room::unknown) {
            base::log_warning("the backup fits into {} only if its file system compresses it: {} are needed, {} are free",
                              demand.destination.string(), needed, free);
            continue;
        }
        throw Failure(FailureKind::operation,
                      fmt::format("the backup does not fit into {}: {} are needed, {} are free", demand.destination.string(), needed, free),
                      "make room, or name a folder on another file system");
    }
}

}  // namespace howdah::restore
