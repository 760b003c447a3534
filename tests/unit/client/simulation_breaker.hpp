#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "client/policy/breaker.hpp"

namespace howdah::simulated {

/// A permit with what the tests know of it.
struct HeldPermit {
    Breaker::Permit permit;
    std::uint32_t era = 0;
};

/// What the tests know of a breaker without asking it. An era ends with each change of its state, and votes of an earlier one must not
/// count. Methods return the name of a broken invariant, or null.
class BreakerModel {
public:
    BreakerModel(const BreakerOptions& options, const Breaker& breaker) : options_(options), mode_(options.mode), shown_(breaker.state()) {}

    /// After every event: the state may have changed.
    const char* look(const Breaker& breaker, const BreakerTransition& told, Moment now, bool ticked) {
        const BreakerReason reason = told.reason;
        const BreakerState from = std::exchange(shown_, breaker.state());
        if (told ? told.from != from || told.to != shown_ : from != shown_) return "a change of state was not told as it was";
        if (breaker.mode() != mode_) {
            if (reason != BreakerReason::guard) return "the mode changed by itself";
            mode_ = breaker.mode();
            begin_era(breaker.would_be());
        }
        if (breaker.would_be() != machine_) {
            if (!may_open()) return "the state changed in a mode without changes";
            if (reason == BreakerReason::consecutive_failures && failures_in_row_ < options_.consecutive_failures)
                return "opened by a row of failures that was none";
            begin_era(breaker.would_be());
        }
        const BreakerCounts counts = breaker.counts();
        if (counts.rejected != rejected_) return "rejections were not counted";
        if (counts.probes_issued != issued_) return "probes were issued that nobody got";
        if (counts.probes_issued != counts.probes_returned + counts.probes_written_off + counts.probes_held)
            return "probe permits not conserved";
        if (counts.probes_held > held_) return "a probe is held by nobody";
        if (!may_open()) return nullptr;
        if (machine_ == BreakerState::closed) return look_closed(counts);
        const Duration bound = machine_ == BreakerState::open ? options_.open_most : options_.half_open_time;
        if (breaker.next_change() > after(now, bound)) return "a state that may last too long";
        if (ticked && breaker.next_change() <= now) return "a state was held past its bound";
        return nullptr;
    }

    const char* admitted(const Breaker::Admission& admission) {
        const Breaker::Permit& permit = admission.permit;
        rejected_ += admission.admitted ? 0 : 1;
        const bool gated = mode_ == BreakerMode::automatic || mode_ == BreakerMode::forced_open;
        if (!gated && !admission.admitted) return "rejected in a mode without a gate";
        if (mode_ == BreakerMode::forced_open) return admission.admitted ? "admitted although forced open" : nullptr;
        if (permit.kind == Breaker::Permit::Kind::probe) return probe_issued(permit);
        if (mode_ == BreakerMode::disabled) return nullptr;
        switch (machine_) {
            case BreakerState::closed: return admission.admitted ? nullptr : "rejected although closed";
            case BreakerState::open: return permit.kind == Breaker::Permit::Kind::counted ? "admitted although open" : nullptr;
            default: break;
        }
        if (permit.kind == Breaker::Permit::Kind::counted) return "a call that is no probe in the half-open state";
        return step_seen_ && step_out_ + step_results_ < step_width_ ? "a probe was refused although one was due" : nullptr;
    }

    /// Around finish(): before it, and with what the breaker said.
    void finishing(const Breaker& breaker) { calls_before_ = breaker.counts().calls; }
    const char* finished(const Breaker& breaker, const HeldPermit& held, Vote vote, Moment now) {
        const bool probe = held.permit.kind == Breaker::Permit::Kind::probe;
        held_ -= probe ? 1 : 0;
        const bool stale = held.era != era_;
        if (probe && !stale && held.permit.generation == step_) {
            --step_out_;
            const bool was_marked = !options_.sole_primary && now - held.permit.begun >= options_.slow_after;
            step_results_ += vote != Vote::none || was_marked ? 1 : 0;
        }
        if (held.permit.kind == Breaker::Permit::Kind::counted && !stale && mode_ != BreakerMode::disabled) voted(vote);
        if (!stale || held.permit.kind == Breaker::Permit::Kind::free) return nullptr;
        return breaker.counts().calls > calls_before_ || breaker.would_be() != machine_ ? "a vote of an earlier state counted" : nullptr;
    }
    /// A vote without a permit.
    void voted_outside() {
        ++step_results_;
        // Steps that the monitor goes through alone are not seen here.
        step_seen_ = false;
    }

    void mode_set(const Breaker& breaker) {
        mode_ = breaker.mode();
        shown_ = breaker.state();
        begin_era(BreakerState::closed);
    }
    std::uint32_t era() const { return era_; }
    BreakerState machine() const { return machine_; }

private:
    bool may_open() const { return mode_ == BreakerMode::automatic || mode_ == BreakerMode::observe; }

    void begin_era(BreakerState machine) {
        machine_ = machine;
        ++era_;
        failures_in_row_ = 0;
        step_ = 0;
        step_width_ = 1;
        step_seen_ = true;
        step_out_ = step_results_ = 0;
    }
    const char* probe_issued(const Breaker::Permit& permit) {
        if (machine_ != BreakerState::half_open) return "a probe in a state without probes";
        if (permit.generation != step_) {
            step_width_ = step_ == 0 ? 1 : std::min(step_width_ * 2, options_.ramp_most);
            step_ = permit.generation;
            step_out_ = step_results_ = 0;
        }
        ++issued_;
        ++held_;
        ++step_out_;
        return step_out_ > (step_seen_ ? step_width_ : options_.ramp_most) ? "more probes than the step allows" : nullptr;
    }
    void voted(Vote vote) {
        const bool failed = vote == Vote::failure || vote == Vote::dial_failure || vote == Vote::overload;
        failures_in_row_ = failed ? failures_in_row_ + 1 : vote == Vote::success ? 0 : failures_in_row_;
    }
    const char* look_closed(const BreakerCounts& counts) const {
        if (options_.sole_primary) return nullptr;
        if (options_.consecutive_failures > 0 && failures_in_row_ >= options_.consecutive_failures)
            return "still closed after failures in a row";
        if (counts.calls < options_.minimum_calls) return nullptr;
        const auto calls = static_cast<double>(counts.calls);
        if (static_cast<double>(counts.failures) >= options_.failure_share * calls) return "still closed with too many failures";
        if (static_cast<double>(counts.slow) >= options_.slow_share * calls) return "still closed with too many slow calls";
        return nullptr;
    }

    const BreakerOptions& options_;
    BreakerMode mode_;
    BreakerState shown_;  ///< What callers last saw.
    BreakerState machine_ = BreakerState::closed;
    std::uint64_t rejected_ = 0;
    std::uint32_t era_ = 1;
    std::uint64_t issued_ = 0;
    std::uint32_t held_ = 0;
    std::uint64_t calls_before_ = 0;
    std::uint32_t failures_in_row_ = 0;
    std::uint32_t step_ = 0;  ///< The generation of the step's permits.
    std::uint32_t step_width_ = 1;
    std::uint32_t step_out_ = 0;
    std::uint32_t step_results_ = 0;
    bool step_seen_ = true;  ///< All of this state's steps were seen.
};

}  // namespace howdah::simulated
