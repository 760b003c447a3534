#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "howdah/alert.hpp"

namespace howdah::inline v0 {

/// Turns measured values into alerts by rules with hold times and clear levels. No clock, no lock; allocates only for the words of a
/// change. One user at a time.
class Thresholds {
public:
    /// Rules that passed check().
    explicit Thresholds(std::span<const AlertRule> rules);

    /// A value of the rule with that number; the alert when this raises or clears it. Not-a-number means that nothing was measured: it
    /// neither raises nor clears, and what was waiting for its hold time begins anew.
    std::optional<Alert> observe(Moment now, std::size_t rule, double value);
    bool raised(std::size_t rule) const { return states_.at(rule).raised; }
    std::span<const AlertRule> rules() const { return rules_; }

private:
    struct State {
        bool raised = false;
        std::optional<Moment> beyond_since;
    };
    std::vector<AlertRule> rules_;
    std::vector<State> states_;
};

}  // namespace howdah::inline v0
