#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/progress.hpp"
#include "repository/backups.hpp"
#include "repository/damage.hpp"
#include "repository/inspection.hpp"

namespace howdah::repository {

/// Authenticates every stored byte of every object below the repository (or of one cluster's area), with `jobs` threads: packs, trees,
/// maps, roots, WAL, histories, leases, events, doomed lists, ledger, key slots and the marker; decodes every manifest and checks that
/// extents cover their files, that every pack, frame, tree and map named exists, and that nothing foreign lies in the repository.
///
/// May run beside backups, WAL pushes, events, expiries and gc. What is found is looked for again in a new listing, and counts only when it
/// is still there: bytes that do not authenticate at once, all else when two looks met it. What writers without a lease may leave for a
/// moment (a WAL segment pushed before the one in front of it, an event that the ledger does not name yet) counts only once what came
/// after it is older than `settle`.
///
/// With an inspection every frame of packs and WAL segments is unpacked and compared too, each once however many backups share it; with a
/// share below everything the frames that it leaves out are not read at all, and the rest of the above still holds.
inline constexpr std::chrono::seconds kSettle{60};
std::vector<Damage> verify_objects(const Repository& repository, const std::string& cluster, unsigned jobs, base::Progress& progress,
                                   const base::Cancellation& cancellation, std::chrono::seconds settle = kSettle,
                                   Inspection* inspection = nullptr);

}  // namespace howdah::repository
