#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/file.hpp"
#include "repository/backups.hpp"
#include "repository/lease.hpp"
#include "repository/pack_writer.hpp"
#include "repository/repository.hpp"

namespace howdah::repository::test {

inline const base::SystemIdentifier kSystem{7301234567890123456};

/// Where tests keep repositories that need no disk: a folder in memory when there is much room, else the system's temporary folder. What
/// an fsync does is tested elsewhere, and thousands of them make up most of these tests' time on a disk.
std::filesystem::path fast_folder();

/// A repository of its own in a temporary folder, encrypted by a key file or not at all.
class Place {
public:
    explicit Place(bool encrypted);
    /// A copy of another place as it is now.
    Place(const Place& other);
    Place& operator=(const Place&) = delete;
    Repository open() const { return Repository::open(config); }
    std::filesystem::path root() const { return folder.path() / "repository"; }
    ClusterArea area() const { return {"main", kSystem}; }

    base::TemporaryDirectory folder{"howdah-repository", fast_folder()};
    base::RepositoryConfig config;
};

/// Bytes that compress like pages do, the same for the same seed.
std::string page_like(std::size_t size, unsigned seed);

/// Path to content of the files of a backup.
using Files = std::map<std::string, std::string>;
/// Files of all shapes: empty, small, shared frames, several frames, zeros, holes between, more extents than a tree takes.
Files sample_files(unsigned seed);

/// Writes a backup of `files` as a run would: lease, packs, trees, root, ledger. Its WAL is one segment, written before.
Root write_backup(const Repository& repository, const std::string& id, const Files& files, base::Lsn start);
/// Files of a backup read through trees, maps and packs.
Files read_backup(const Repository& repository, const Backup& backup);

/// Segment `number` of timeline 1 (1 MiB segments of few records), sealed with its trailer.
std::string segment_name(unsigned number);
std::string segment_bytes(unsigned number);
void write_segment(const Repository& repository, unsigned number);

}  // namespace howdah::repository::test
