#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/progress.hpp"
#include "repository/backups.hpp"
#include "repository/damage.hpp"

namespace howdah::repository {

/// Authenticates every stored byte of every object below the repository (or of one cluster's area), with `jobs` threads: packs, trees,
/// maps, roots, WAL, histories, leases, events, doomed lists, ledger, key slots and the marker; decodes every manifest and checks that
/// extents cover their files, that every pack, frame, tree and map named exists, and that nothing foreign lies in the repository.
std::vector<Damage> verify_objects(const Repository& repository, const std::string& cluster, unsigned jobs, base::Progress& progress,
                                   const base::Cancellation& cancellation);

}  // namespace howdah::repository
