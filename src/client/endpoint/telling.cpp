#include <optional>
#include <string>
#include <utility>

#include "client/endpoint/endpoint.hpp"

// Lines for the service's log.
namespace howdah::inline v0 {

void Endpoint::log(Moment now, LogKind kind, Severity severity, std::string what) noexcept {
    if (!log_wanted()) return;
    std::optional<LogLine> line;
    {
        const std::scoped_lock lock(log_mutex_);
        line = log_gate_.offer(now, kind, severity, std::move(what));
    }
    if (line) call(observer_.on_log, *line);
}

void Endpoint::tell_due_lines(Moment now) noexcept {
    while (true) {
        std::optional<LogLine> line;
        {
            const std::scoped_lock lock(log_mutex_);
            line = log_gate_.due(now);
        }
        if (!line) return;
        call(observer_.on_log, *line);
    }
}

void Endpoint::log_change(const BreakerTransition& change) noexcept {
    const bool rejects = change.to == BreakerState::open || change.to == BreakerState::forced_open;
    try {
        std::string what = "the circuit breaker went from " + std::string(howdah::name(change.from)) + " to " +
                           std::string(howdah::name(change.to)) + ": " + std::string(howdah::name(change.reason));
        log(std::chrono::steady_clock::now(), LogKind::breaker, rejects ? Severity::critical : Severity::info, std::move(what));
    } catch (...) {
        callback_failures_.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace howdah::inline v0
