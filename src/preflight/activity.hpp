#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "preflight/finding.hpp"
#include "preflight/thresholds.hpp"

namespace howdah::preflight {

class Looker;

/// A session with an open transaction.
struct OpenTransaction {
    int pid = 0;
    std::string user, database, application;
    bool idle = false;          ///< "idle in transaction".
    base::Duration age{};       ///< Since the transaction began.
    base::Duration idle_for{};  ///< Since its last statement ended, when idle.
};
/// Findings `long_transactions` and `idle_in_transaction`; `hidden` is the number of sessions whose state the role may not see.
Findings judge_transactions(const std::vector<OpenTransaction>& transactions, std::int64_t hidden, const Thresholds& thresholds);

struct PreparedTransaction {
    std::string name, owner, database;
    base::Duration age{};
};
Finding judge_prepared(const std::vector<PreparedTransaction>& prepared, const Thresholds& thresholds);

Finding judge_connections(std::int64_t used, std::int64_t maximum, const Thresholds& thresholds);

void look_at_activity(Looker& looker);

}  // namespace howdah::preflight
