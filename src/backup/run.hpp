#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/config.hpp"
#include "repository/manifest.hpp"
#include "repository/repository.hpp"

namespace howdah::backup {

struct BackupOptions {
    bool incremental = false;  ///< Read what changed since the newest backup that can be built upon; a full one where there is none.
    std::string parent = {};   ///< Of an incremental: build upon this one (an id, or an unambiguous part of it).
    std::string label = "howdah";
    unsigned jobs = 0;                      ///< 0: usable cores.
    std::optional<base::Bytes> limit = {};  ///< Of what is read of the cluster, a second.
    int compression_level = 1;
    bool checkpoint_spread = false;  ///< Wait for a spread checkpoint instead of asking for a fast one.
    unsigned audit_percent = 0;      ///< Of an incremental: the share of the unchanged blocks to read and compare nevertheless.
    bool dry_run = false;            ///< Look and count, copy nothing.
    /// Where WAL that the backup needs is taken from when this repository lacks it and pg_wal has it no more.
    std::vector<base::RepositoryConfig> wal_repositories = {};
};

struct BackupResult {
    repository::Root root;  ///< As published; of a dry run only the counts are filled.
    bool published = false;
    /// Pages that are corrupt in the live cluster too: "base/5/16397 block 12: checksum 1a2b expected, 3c4d found".
    std::vector<std::string> bad_pages;
    std::vector<std::string> warnings;
    /// What an audit found. Pages that differ although WAL tells of no change are an alarm: "base/5/16402 block 3".
    struct Audit {
        unsigned percent = 0;
        std::uint64_t pages = 0;
        std::vector<std::string> differ;
    };
    std::optional<Audit> audit;
};

/// Takes a backup of a running primary: docs/internals/backup.md and incremental.md walk through it. Failures: server (cannot connect, no rights),
/// configuration (no such data directory, or another cluster's), repository, locked (another backup of this cluster runs), operation.
/// Whatever fails, nothing is listed; packs already written are leftovers that gc frees.
BackupResult run_backup(const base::ClusterConfig& cluster, const repository::Repository& repository, const BackupOptions& options,
                        const base::Cancellation& cancellation);

}  // namespace howdah::backup
