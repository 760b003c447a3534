#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backup/file_plan.hpp"
#include "base/cancellation.hpp"
#include "base/rate_limit.hpp"
#include "base/units.hpp"
#include "repository/repository.hpp"

namespace howdah::backup {

struct AuditOptions {
    double percent = 0;      ///< Of what is kept; more than 0, at most 100.
    std::uint64_t seed = 0;  ///< Chooses which.
    unsigned jobs = 2;
    base::RateLimit* limit = nullptr;  ///< Of what is read; null for none.
};

/// A page of the cluster that is not what the parent stored.
struct AuditedPage {
    std::size_t file = 0;     ///< Number in the list of files.
    std::uint32_t block = 0;  ///< In the fork.
};

struct AuditResult {
    std::uint64_t pages = 0;  ///< Looked at.
    base::Bytes read;         ///< Of the cluster.
    std::vector<AuditedPage> differ;
};

/// Reads a random share of the pages that the plans keep, in runs as long as a frame, beside what the parent stored, and names those that
/// differ by more than servers change without a record (postgres::equal_unlogged). Pages that are not there any more are passed over. A
/// page may differ because it was changed since the plans were made: the caller asks the WAL since then. Every stored byte that is looked
/// at was authenticated. The first failure stops all workers and is thrown.
AuditResult audit_kept(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files,
                       const std::vector<FilePlan>& plans, const AuditOptions& options, const base::Cancellation& cancellation);

/// The ones of `pages` that `since`, the changes between the making of the plans and now, does not tell of: "base/5/16402 block 3". With a
/// doubt it tells of all.
std::vector<std::string> unexplained(const std::vector<AuditedPage>& pages, const std::vector<ListedFile>& files,
                                     const postgres::BlockChanges& since);

}  // namespace howdah::backup
