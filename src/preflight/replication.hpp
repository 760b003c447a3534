#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "preflight/finding.hpp"
#include "preflight/thresholds.hpp"

namespace howdah::preflight {

class Looker;

/// A replica as its primary sees it.
struct Replica {
    std::string name;                   ///< application_name, with the address when it has one.
    std::string state;                  ///< streaming, catchup, startup, backup.
    std::optional<base::Duration> lag;  ///< Replay lag; none while there is nothing to replay.
    std::optional<base::Bytes> behind;  ///< WAL written here and not replayed there.
};
Findings judge_replicas(const std::vector<Replica>& replicas, const Thresholds& thresholds);

struct Slot {
    std::string name, type;  ///< "physical" or "logical".
    bool active = false;
    std::string wal_status;  ///< reserved, extended, unreserved, lost; empty when it never reserved any.
    base::Bytes retained;
    std::string inactive_since;  ///< From PostgreSQL 17 on.
};
/// `unbounded`: max_slot_wal_keep_size is -1, so that a slot can fill the disk.
Findings judge_slots(const std::vector<Slot>& slots, bool unbounded);

/// A standby looking at itself.
struct StandbyFacts {
    bool receiving = false;
    base::Bytes behind;                          ///< WAL received and not replayed.
    std::optional<base::Duration> since_replay;  ///< Age of the last replayed commit; none before the first.
};
Finding judge_standby(const StandbyFacts& facts, const Thresholds& thresholds);

void look_at_replication(Looker& looker);

}  // namespace howdah::preflight
