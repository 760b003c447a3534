#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/config.hpp"
#include "base/units.hpp"

namespace howdah::archive {

/// `wal catch-up`: everything that any of the repositories lacks of a cluster's WAL and that another, or pg_wal, has.
struct CatchUpOptions {
    std::string cluster;
    std::vector<base::RepositoryConfig> repositories;
    std::filesystem::path backlogs;        ///< As PushOptions names it.
    std::filesystem::path data_directory;  ///< Empty: no pg_wal to take from.
    unsigned jobs = 0;
    int compression_level = 1;
    bool dry_run = false;
};

/// One repository and one system identifier of the cluster.
struct CaughtUp {
    std::string repository;
    base::SystemIdentifier system;
    std::vector<std::string> lacking;  ///< What it lacked: histories first, then segments.
    std::size_t from_pg_wal = 0, from_others = 0;
    std::vector<std::string> nowhere;    ///< Of these, those that nobody has any more.
    std::vector<std::string> conflicts;  ///< What differs from another repository or the server, as sentences; then nothing was written.
    std::vector<std::string> failures;   ///< What else went wrong.
};
struct CatchUpResult {
    std::vector<CaughtUp> repositories;    ///< Those that lacked something, and those in conflict.
    std::vector<std::string> unreachable;  ///< "offsite: why".
};

/// A repository is given the files noted in its backlog, every segment that another holds from its own floor on, and every history that another
/// holds. Its floor is the first segment of its oldest kept backup, or its own first segment when it has no backup: what lies before was let
/// go, and is never brought back. WAL goes only between areas of one system identifier, and only where both are shown to be of one
/// history (Filler::require_one_history). Takes no lease: a segment is immutable and created if absent, and what is brought lies
/// above the floor, where no gc looks. Throws the first failure when no repository can be opened.
CatchUpResult catch_up_all(const CatchUpOptions& options, const base::Cancellation& cancellation);

}  // namespace howdah::archive
