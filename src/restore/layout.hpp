#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "repository/backups.hpp"
#include "repository/pack_reader.hpp"
#include "restore/target_directory.hpp"

namespace howdah::restore {

inline constexpr const char* kControlPath = "global/pg_control";

/// A file to be written and where its bytes come from.
struct Output {
    std::string path;  ///< Absolute.
    std::uint64_t size = 0;
    std::int64_t modified_us = 0;  ///< As the backup recorded it; never a proof of what is in the file (T20).
    std::uint32_t mode = 0600;
    bool stored = false;        ///< Some of its bytes come from packs, so that the workers make it.
    bool trusted = false;       ///< Not even looked at: only without the guard T20.delta_by_bytes.
    std::uint64_t present = 0;  ///< Bytes of it that were there before the restore: what may be compared.
};

/// Bytes of a file that are zeros and stored nowhere.
struct ZeroRun {
    std::uint32_t file = 0;
    std::uint64_t offset = 0, length = 0;
};

/// Everything that a restore makes below its destinations, read from the trees and maps without touching anything.
struct Layout {
    std::vector<Output> files;  ///< pg_control among them: its bytes go to `control`, never to its path.
    std::map<repository::PackId, std::vector<repository::Piece>> packs;
    std::vector<ZeroRun> zeros;
    std::map<std::string, std::uint32_t> folders;  ///< Mode by absolute path: parents come before what is in them.
    std::map<std::string, std::string> links;      ///< Target by absolute path.
    std::uint32_t control_file = 0;                ///< The number of pg_control among the files.
    bool has_control = false;
    std::uint64_t bytes = 0;
};

/// Where a path of the backup goes: "pg_tblspc/16400/…" through its destination, all else below the data directory.
std::filesystem::path place(const Destinations& destinations, const std::string& path);

/// Reads the backup's trees and maps. Failure(operation) for a link that is no tablespace's, or a map that does not cover its file.
Layout read_layout(const repository::Repository& repository, const repository::Backup& backup, const Destinations& destinations);

/// Bytes of a tree's files without their runs of zeros, which a restore leaves as holes.
std::uint64_t written_bytes(const repository::Repository& repository, const repository::Backup& backup,
                            const repository::TreeReference& tree);

}  // namespace howdah::restore
