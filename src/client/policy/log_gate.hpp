#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "howdah/moment.hpp"
#include "howdah/observer.hpp"

namespace howdah::inline v0 {

/// Lets one line of a kind through in each second. Of those held back the last is kept and told when the second is over, so that what is
/// so now is always told. No clock, no lock.
class LogGate {
public:
    /// The line as it is to be told; none when it is held back.
    std::optional<LogLine> offer(Moment now, LogKind kind, Severity severity, std::string what) {
        Kind& state = kinds_[static_cast<std::size_t>(kind)];
        LogLine line{severity, kind, std::move(what), 0};
        if (now < state.quiet_until) {
            state.held_back = std::move(line);
            ++state.count;
            return std::nullopt;
        }
        return tell(now, state, std::move(line), state.count);
    }

    /// One line that was held back and may be told now.
    std::optional<LogLine> due(Moment now) {
        for (Kind& state : kinds_) {
            // The one that is told was not left out.
            if (state.held_back && now >= state.quiet_until) return tell(now, state, std::move(*state.held_back), state.count - 1);
        }
        return std::nullopt;
    }

private:
    struct Kind {
        Moment quiet_until = Moment::min();
        std::optional<LogLine> held_back;
        std::uint64_t count = 0;
    };
    static LogLine tell(Moment now, Kind& state, LogLine line, std::uint64_t left_out) {
        line.left_out = left_out;
        state = {after(now, std::chrono::seconds(1)), std::nullopt, 0};
        return line;
    }
    std::array<Kind, kLogKinds> kinds_;
};

}  // namespace howdah::inline v0
