#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/config.hpp"
#include "postgres/cluster_facts.hpp"
#include "postgres/control_file.hpp"
#include "postgres/session.hpp"

namespace howdah::backup {

/// A running cluster looked at from both sides: the session and the data directory, which are the same server's as far as can be told
/// without a backup begun.
struct Source {
    std::string conninfo;
    std::unique_ptr<postgres::Session> session;
    postgres::ClusterFacts facts;
    postgres::ControlFile control;
    std::filesystem::path data_directory;
};

/// Connects first (Failure server), then looks at the data directory (Failure configuration when it is absent, not a data directory, of
/// another cluster, or of another server of the same cluster). The directory is the configured one or the one the server names.
Source open_source(const base::ClusterConfig& cluster, const base::Cancellation& cancellation);

/// Refuses what a full backup of a primary cannot be taken from: standby, archiving off, wal_level minimal, missing rights, versions
/// outside 14 to 18, other block sizes.
void require_backup_possible(const Source& source);

/// Failure(configuration) unless the checkpoint that began the backup is in the data directory's pg_control: a primary and its standby, or
/// a clone, are told apart by nothing else for certain, and a copy of one's files with the other's label cannot be recovered.
void require_started_here(const Source& source, const postgres::BackupStarted& started);

}  // namespace howdah::backup
