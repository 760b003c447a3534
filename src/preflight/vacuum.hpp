#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "preflight/databases.hpp"
#include "preflight/finding.hpp"
#include "preflight/thresholds.hpp"

namespace howdah::preflight {

class Looker;

struct AutovacuumFacts {
    bool on = true;
    bool track_counts = true;
    bool launcher_seen = false;
    bool launcher_visible = true;  ///< Whether this role would see it.
    bool in_recovery = false;      ///< A standby has none.
    std::int64_t workers = 0;
};
Finding judge_autovacuum(const AutovacuumFacts& facts);

Finding judge_dead_rows(const std::vector<DatabaseFacts>& databases);

struct DatabaseAge {
    std::string name;
    std::int64_t transactions = 0;  ///< age(datfrozenxid).
    std::int64_t multixacts = 0;    ///< mxid_age(datminmxid).
};
/// `freeze_max_age` is autovacuum_freeze_max_age: ages up to one and a half times it are normal whatever the threshold.
Finding judge_ages(const std::vector<DatabaseAge>& ages, std::int64_t freeze_max_age, const Thresholds& thresholds);

void look_at_vacuum(Looker& looker);

}  // namespace howdah::preflight
