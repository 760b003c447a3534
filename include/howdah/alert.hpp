#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "howdah/moment.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

enum class Severity : std::uint8_t { info, warning, critical };

constexpr std::string_view name(Severity severity) {
    constexpr std::array<std::string_view, 3> kNames{"info", "warning", "critical"};
    return kNames[static_cast<std::size_t>(severity)];
}

/// When a measured value is worth an alert. The texts must outlive the rule; literals are right.
struct AlertRule {
    std::string_view name;   ///< As in configuration, "ping_latency".
    double threshold = 0;    ///< Raised when the value stays at or above it; at or below it when `clear_level` is higher.
    double clear_level = 0;  ///< Cleared when the value reaches it from there; the gap keeps a value on the edge from flapping.
    Duration hold{};         ///< For how long the value must stay there.
    Severity severity = Severity::warning;
    std::string_view message;  ///< What it means, "the server answers pings slowly".
    std::string_view unit;     ///< Of the value, " s"; empty for counts and shares.
};

/// A named error (phase configure, cause usage) for values that make no sense.
Result<void> check(const AlertRule& rule);

/// The rules of the health monitor as they come.
std::span<const AlertRule> default_alert_rules() noexcept;

/// A rule was raised or cleared; a value for callbacks.
struct Alert {
    std::string_view rule;
    Severity severity = Severity::warning;
    bool raised = false;  ///< False when it was cleared.
    double value = 0;
    Duration lasted{};    ///< For how long the value had been beyond the threshold.
    std::string message;  ///< "the server answers pings slowly: 0.31 s for 10 s (threshold 0.1 s)"
};

}  // namespace howdah::inline v0
