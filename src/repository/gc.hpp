#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// A temporary file that was not written to for so long is taken for nobody's. A writer that stood still for longer loses nothing but its
/// own work: its commit finds no file and fails.
inline constexpr std::chrono::seconds kLeftoverAge{3600};

/// Garbage collection in two phases: what no kept root references goes on a doomed list; after the grace period what is still
/// unreferenced is deleted. A backup reads the doomed lists before it reuses an object and before it publishes. WAL is not garbage:
/// expire decides about it. A pack of whose stored bytes kept backups need less than half is written again without the rest, unless its
/// cluster has a live backup; the old one then is garbage (pack_generations.hpp). Takes the repository's lease; while a backup's lease is live its cluster's young objects stay.
/// Temporary files go when they were not written to for the grace period, and while any backup's lease is live for kLeftoverAge at least.
/// A push takes no lease: beside a short grace it may lose its file, fails when it commits, and is tried again by its server.
struct GcOptions {
    std::chrono::seconds grace{24 * 3600};
    bool dry_run = false;
};
struct GcResult {
    std::uint64_t doomed = 0;  ///< Newly listed.
    std::uint64_t deleted = 0;
    base::Bytes freed;
    base::Bytes leftovers;           ///< Temporary files of interrupted writes removed.
    std::uint64_t compacted = 0;     ///< Packs written again without what nobody needs (dry run: would be).
    std::uint64_t links_pruned = 0;  ///< Old lease, ledger and doomed links.
    std::vector<std::string> names;  ///< Deleted (dry run: would be).
};
GcResult collect_garbage(const Repository& repository, const GcOptions& options, const base::Cancellation& cancellation);

/// Names on any doomed list that is still in force.
std::vector<std::string> read_doomed(const Repository& repository);

/// What `repo check` tells: unreferenced objects, leftovers of interrupted runs, ended leases, chains, ledger differences, slots.
struct CheckResult {
    std::vector<std::string> problems;  ///< Damage or something missing: exit 1.
    /// Harmless: unreferenced objects, dead leases and temporary files of any age, freed by gc.
    std::vector<std::string> leftovers;
    base::Bytes leftover_bytes;
    std::uint64_t objects = 0;
    base::Bytes bytes;
};
CheckResult check_repository(const Repository& repository, const base::Cancellation& cancellation);

}  // namespace howdah::repository
