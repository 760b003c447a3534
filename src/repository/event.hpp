#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// Something said about a backup after it was made: a pin, its end, an annotation, an expiry, a proof. Small links of the cluster's
/// event chain. A repair of that chain is an event too: it has no backup, says what was given up, and holds every backup that had
/// expired before it, as the lost event may have been a pin. An unpin or another expiry ends the hold.
struct Event {
    std::uint64_t number = 0;
    std::string type;  ///< pin, unpin, annotate, expire, proof, repair.
    std::string backup_id;
    std::string text;                      ///< Reason, note or evidence (JSON of the writer's own for proofs).
    std::optional<base::Timestamp> until;  ///< Of a pin.
    base::Timestamp time;                  ///< By the store's clock.
    std::string user, host;
};
/// Failure(operation), and nothing done, when the ledger is damaged or knows a later event than there is.
void append_event(const Repository& repository, const ClusterArea& area, Event event);
/// Whether the last pin among a backup's events is in force (not taken back and not past its end) or a repair holds it.
bool is_pinned(const std::vector<Event>& events, const std::string& backup_id, base::Timestamp now);
std::vector<Event> read_events(const Repository& repository, const ClusterArea& area);

}  // namespace howdah::repository
