#include "client/policy/thresholds.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "client/policy/option_check.hpp"

namespace howdah::inline v0 {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array kDefaults{
    AlertRule{"ping_failed", 1, 0, seconds(3), Severity::critical, "the server does not answer the monitor", {}},
    AlertRule{"ping_latency", 0.1, 0.05, seconds(10), Severity::warning, "the server answers pings slowly", " s"},
    AlertRule{"pool_wait", 0.1, 0.02, seconds(10), Severity::warning, "calls wait long for a connection", " s"},
    AlertRule{"pool_exhausted", 1, 0.9, seconds(10), Severity::critical, "no connection of the pool is free, share in use", {}},
    AlertRule{"idle_share", 0.9, 0.8, minutes(30), Severity::info, "most of the pool's connections lie idle, share", {}},
    AlertRule{"server_connections", 0.8, 0.7, seconds(30), Severity::warning, "the server nears its connection limit, share", {}},
    AlertRule{"server_connections_full", 0.95, 0.9, seconds(10), Severity::critical, "the server is at its connection limit, share", {}},
    AlertRule{"long_transaction", 300, 60, seconds(0), Severity::warning, "a transaction has been open for long", " s"},
    AlertRule{"lease_held", 600, 60, seconds(0), Severity::warning, "a connection was borrowed and not given back", " s"},
    AlertRule{"breaker_open", 1, 0, minutes(1), Severity::critical, "the circuit breaker rejects calls", {}},
};

bool upwards(const AlertRule& rule) { return rule.clear_level <= rule.threshold; }

std::string text_of(double value, std::string_view unit) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", value);
    return text.data() + std::string(unit);
}

Alert alert(const AlertRule& rule, bool raised, double value, Duration lasted) {
    const double length = std::chrono::duration<double>(lasted).count();
    std::string message(rule.message);
    if (!raised) message = "over: " + message;
    // Of what is either so or not the numbers say nothing.
    const bool yes_or_no = rule.threshold == 1 && rule.clear_level == 0 && rule.unit.empty();
    if (!yes_or_no) message += ": " + text_of(value, rule.unit);
    if (raised && length > 0) message += " for " + text_of(length, " s");
    if (!raised) message += " after " + text_of(length, " s");
    if (raised && !yes_or_no) message += " (threshold " + text_of(rule.threshold, rule.unit) + ")";
    return {rule.name, rule.severity, raised, value, lasted, std::move(message)};
}

}  // namespace

std::span<const AlertRule> default_alert_rules() noexcept { return kDefaults; }

Result<void> check(const AlertRule& rule) {
    constexpr double kMost = std::numeric_limits<double>::max();
    return OptionCheck("alert." + std::string(rule.name))
        .within("threshold", rule.threshold, -kMost, kMost)
        .within("clear_level", rule.clear_level, -kMost, kMost)
        .within("hold", rule.hold, Duration::zero(), std::chrono::hours(24 * 365))
        .result();
}

Thresholds::Thresholds(std::span<const AlertRule> rules) : rules_(rules.begin(), rules.end()), states_(rules.size()) {}

std::optional<Alert> Thresholds::observe(Moment now, std::size_t number, double value) {
    const AlertRule& rule = rules_.at(number);
    State& state = states_.at(number);
    if (std::isnan(value)) {
        if (!state.raised) state.beyond_since.reset();
        return std::nullopt;
    }
    const bool up = upwards(rule);
    if (state.raised) {
        const bool cleared = up ? value <= rule.clear_level && value < rule.threshold : value >= rule.clear_level;
        if (!cleared) return std::nullopt;
        state.raised = false;
        const Duration lasted = now - state.beyond_since.value_or(now);
        state.beyond_since.reset();
        return alert(rule, false, value, lasted);
    }
    const bool beyond = up ? value >= rule.threshold : value <= rule.threshold;
    if (!beyond) {
        state.beyond_since.reset();
        return std::nullopt;
    }
    if (!state.beyond_since) state.beyond_since = now;
    if (now - *state.beyond_since < rule.hold) return std::nullopt;
    state.raised = true;
    return alert(rule, true, value, now - *state.beyond_since);
}

}  // namespace howdah::inline v0
