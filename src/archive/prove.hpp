#pragma once

#include <filesystem>
#include <string>

#include "archive/wal_archive.hpp"
#include "base/cancellation.hpp"
#include "base/units.hpp"
#include "postgres/session.hpp"

namespace howdah::archive {

/// A segment that the server itself brought into the repository while we looked.
struct ArchiveProof {
    std::string segment;
    base::Duration time{};  ///< From the switch to its being readable in the repository.
};

/// Proves that archiving works: writes a small WAL message so that there is something to archive, switches the segment and waits until
/// the repository has it, its trailer can be read, and pg_stat_archiver says that the server's archiver came as far with no newer failure: a push
/// that runs ahead of a stuck segment proves nothing. `data_directory` may be empty (a server elsewhere); with it the wait is woken by
/// archive_status. Failure(operation) when archiving is off, waits for a restart or ends with the next one, on a standby, when archive_command fails
/// meanwhile (with PostgreSQL's own report) or after `wait`.
ArchiveProof prove_archiving(postgres::Session& session, const WalArchive& archive, const std::filesystem::path& data_directory,
                             base::Duration wait, const base::Cancellation& cancellation);

}  // namespace howdah::archive
