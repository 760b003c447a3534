#pragma once

#include <vector>

#include "base/cancellation.hpp"
#include "repository/damage.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// What a repair gave up: links of chains that are missing or cannot be read. Each chain goes on with a link that says so.
struct RepairResult {
    std::vector<Damage> given_up;
    bool events_lost = false;  ///< Backups that had expired are held, as a lost event may have been a pin.
};

/// Makes ledger, leases, doomed list and events usable again after damage to their links, which stops backups and gc. Nothing else is
/// touched: backups and WAL are neither made good nor forgotten, and what the newest readable ledger entry names stays on its books.
/// Failure(locked) while a live run holds a damaged lease, or may: then for kLeaseTime after its newest link.
RepairResult repair_chains(const Repository& repository, bool dry_run, const base::Cancellation& cancellation);

}  // namespace howdah::repository
