#pragma once

#include <chrono>
#include <vector>

#include "howdah/alert.hpp"
#include "howdah/moment.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// The health monitor: one session per endpoint beside the pool's, on the client's own thread.
struct MonitorOptions {
    Duration interval = std::chrono::seconds(1);        ///< Between pings, drawn from 0.9 to 1.1 of this.
    Duration patience = std::chrono::seconds(2);        ///< A ping not answered by then has failed, and its session is given up.
    Duration figures_every = std::chrono::seconds(10);  ///< Connections against the limit, longest transaction.
    std::vector<AlertRule> rules{default_alert_rules().begin(), default_alert_rules().end()};
};

/// A named error (phase configure, cause usage) for values that make no sense.
Result<void> check(const MonitorOptions& options);

}  // namespace howdah::inline v0
