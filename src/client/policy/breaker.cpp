#include "client/policy/breaker.hpp"

#include <algorithm>

namespace howdah::inline v0 {

namespace {

/// The monitor's word is old after this, unless somebody says that it is still trying.
constexpr Duration kMonitorHolds = std::chrono::seconds(5);

bool is_failure(Vote vote) { return vote == Vote::failure || vote == Vote::dial_failure || vote == Vote::overload; }

bool reaches(std::uint64_t part, double share, std::uint64_t whole) {
    return part > 0 && static_cast<double>(part) >= share * static_cast<double>(whole);
}

BreakerState shown(BreakerMode mode, BreakerState machine) {
    switch (mode) {
        case BreakerMode::automatic: return machine;
        case BreakerMode::disabled: return BreakerState::disabled;
        case BreakerMode::observe: return BreakerState::observe;
        case BreakerMode::forced_open: return BreakerState::forced_open;
        case BreakerMode::forced_closed: return BreakerState::forced_closed;
    }
    return machine;
}

/// Of several changes by one event the callers see one.
BreakerTransition joined(const BreakerTransition& first, const BreakerTransition& second) {
    if (!first || !second) return first ? first : second;
    return {first.from, second.to, second.reason};
}

}  // namespace

Breaker::Breaker(const BreakerOptions& options, Moment now, std::uint64_t seed)
    : mode_(options.mode),
      now_(now),
      slow_after_(options.slow_after),
      under_way_(options.tracked_calls),
      window_(options.window, now),
      requests_(options.guard_window, now),
      options_(options),
      random_(seed) {}

Breaker::Admission Breaker::admit(Moment now) {
    Admission admission;
    if (admit_plainly(now, admission.permit)) {
        admission.admitted = true;
        return admission;
    }
    if (mode_ == BreakerMode::disabled) {
        admission.admitted = true;
        admission.permit.kind = Permit::Kind::free;
        return admission;
    }
    admission.transition = advance(now);
    requests_.roll(now);
    requests_.add({1, 0});
    if (mode_ == BreakerMode::forced_open) {
        ++counts_.rejected;
        return admission;
    }
    const bool probing = machine_ == BreakerState::half_open && step_.issued < step_.width;
    if (machine_ == BreakerState::closed || probing) {
        admission.admitted = true;
        admission.permit = issue(now, probing ? Permit::Kind::probe : Permit::Kind::counted);
    } else if (mode_ == BreakerMode::observe) {
        ++counts_.would_have_rejected;
        admission.admitted = true;
        admission.permit.kind = Permit::Kind::free;
    } else {
        ++counts_.rejected;
        admission.transition = joined(admission.transition, guard(now, 1));
    }
    return admission;
}

Breaker::Permit Breaker::issue(Moment now, Permit::Kind kind) noexcept {
    if (kind == Permit::Kind::probe) {
        // The time of a step runs from its first probe: a state that nobody asked has kept nobody waiting.
        if (!step_.timed) step_.deadline = after(now, options_.half_open_time);
        step_.timed = true;
        ++step_.issued;
        ++step_.held;
        ++counts_.probes_issued;
    }
    return {kind, generation_, under_way_.add(now), now};
}

BreakerTransition Breaker::finish(Moment now, Permit& permit, Vote vote) {
    if (vote == Vote::success && finish_plainly(now, permit)) return {};
    const Permit back = permit;
    permit = {};
    if (back.kind == Permit::Kind::none || back.kind == Permit::Kind::free || mode_ == BreakerMode::disabled) return {};
    const BreakerTransition before = advance(now);
    if (back.generation != generation_) {
        ++counts_.stale_results;
        return before;
    }
    const bool marked = under_way_.remove(back.entry) == CallList::Removed::marked;
    const bool slow = vote == Vote::slow || (vote != Vote::none && now - back.begun >= slow_after_);
    if (back.kind == Permit::Kind::counted) return joined(before, record(now, vote, slow, marked));
    --step_.held;
    ++counts_.probes_returned;
    // A marked probe gave its result when it became slow.
    if (marked) return before;
    if (vote == Vote::none) {
        --step_.issued;
        return before;
    }
    return joined(before, record_probe(now, vote, slow));
}

BreakerTransition Breaker::vote(Moment now, Vote vote) {
    if (mode_ == BreakerMode::disabled || vote == Vote::none) return {};
    const BreakerTransition before = advance(now);
    if (machine_ == BreakerState::closed) {
        // A dial is no call: it moves the row of dial failures, not the shares.
        if (vote == Vote::success || vote == Vote::dial_failure) {
            dial_failures_in_row_ = vote == Vote::success ? 0 : dial_failures_in_row_ + 1;
            return joined(before, judge(now));
        }
        return joined(before, record(now, vote, vote == Vote::slow, false));
    }
    if (machine_ != BreakerState::half_open || step_.issued >= step_.width) return before;
    ++step_.issued;
    return joined(before, record_probe(now, vote, vote == Vote::slow));
}

BreakerTransition Breaker::monitored(Moment now, bool up) {
    if (!up) {
        still_down(now);
    } else if (machine_ != BreakerState::half_open) {
        // In the half-open state calls are let in step by step: what that rejects after an outage still belongs to the outage.
        down_until_ = Moment();
    }
    return vote(now, up ? Vote::success : Vote::dial_failure);
}

void Breaker::still_down(Moment now) noexcept { down_until_ = std::max(down_until_, after(std::max(now, now_), kMonitorHolds)); }

BreakerTransition Breaker::server_is_back(Moment now) {
    if (!may_open() || machine_ != BreakerState::open) return tick(now);
    now_ = std::max(now, now_);
    return half_open(BreakerReason::server_back);
}

BreakerTransition Breaker::half_open(BreakerReason reason) {
    recovered_some_ = false;
    const BreakerTransition change = move_to(BreakerState::half_open, reason);
    begin_step(now_, 1);
    return change;
}

void Breaker::note_rejection() noexcept {
    if (mode_ == BreakerMode::observe && machine_ == BreakerState::open) ++counts_.would_have_rejected;
}

BreakerTransition Breaker::tick(Moment now) { return mode_ == BreakerMode::disabled ? BreakerTransition{} : advance(now); }

BreakerTransition Breaker::rejected_outside(Moment now, std::uint32_t calls) {
    if (mode_ == BreakerMode::disabled || calls == 0) return {};
    const BreakerTransition before = advance(now);
    counts_.rejected += calls;
    requests_.roll(now);
    requests_.add({calls, 0});
    return mode_ == BreakerMode::automatic ? joined(before, guard(now, calls)) : before;
}

BreakerTransition Breaker::advance(Moment& now) {
    now_ = now = std::max(now, now_);
    if (!may_open()) return {};
    if (machine_ == BreakerState::half_open) return advance_half_open(now);
    if (machine_ == BreakerState::open) {
        return now < open_until_ ? BreakerTransition{} : half_open(BreakerReason::open_time_over);
    }
    bool any = false;
    while (under_way_.mark_one(now - slow_after_)) {
        window_.roll(now);
        window_.add({1, 0, 1, 0});
        any = true;
    }
    return any ? judge(now) : BreakerTransition{};
}

BreakerTransition Breaker::advance_half_open(Moment now) {
    // A sole primary's probes fail by not getting a session only; those that hang fail by the step's deadline.
    while (!options_.sole_primary && under_way_.mark_one(now - slow_after_)) {
        if (const BreakerTransition change = record_probe(now, Vote::slow, true)) return change;
    }
    if (now < step_.deadline) return {};
    if (step_.held > 0) return open(now, BreakerReason::probe_overdue);
    // Traffic too thin to fill the steps has still shown that calls pass.
    if (recovered_some_) return close(BreakerReason::recovered);
    begin_step(now, step_.width);
    return {};
}

BreakerTransition Breaker::record(Moment now, Vote vote, bool slow, bool counted_before) {
    if (vote == Vote::none) return {};
    window_.roll(now);
    const bool failed = is_failure(vote);
    const bool fresh = !counted_before;
    window_.add({fresh ? 1U : 0U, failed ? 1U : 0U, slow && fresh ? 1U : 0U, vote == Vote::termination ? 1U : 0U});
    if (failed) {
        ++failures_in_row_;
    } else if (vote == Vote::success) {
        failures_in_row_ = 0;
    }
    // Whatever else went wrong, the server was reached.
    dial_failures_in_row_ = vote == Vote::dial_failure ? dial_failures_in_row_ + 1 : 0;
    return judge(now);
}

BreakerTransition Breaker::judge(Moment now) {
    if (!may_open()) return {};
    if (options_.dial_failures > 0 && dial_failures_in_row_ >= options_.dial_failures) return open(now, BreakerReason::dial_failures);
    if (options_.sole_primary) return {};
    if (options_.consecutive_failures > 0 && failures_in_row_ >= options_.consecutive_failures)
        return open(now, BreakerReason::consecutive_failures);
    const Calls& seen = window_.total();
    if (seen.calls < options_.minimum_calls) return {};
    const std::uint64_t failures = seen.failures + (seen.terminations >= options_.terminations ? seen.terminations : 0);
    if (reaches(failures, options_.failure_share, seen.calls)) return open(now, BreakerReason::failure_share);
    if (reaches(seen.slow, options_.slow_share, seen.calls)) return open(now, BreakerReason::slow_share);
    return {};
}

BreakerTransition Breaker::record_probe(Moment now, Vote vote, bool slow) {
    ++step_.results;
    const bool failed = options_.sole_primary ? vote == Vote::dial_failure : is_failure(vote) || vote == Vote::termination;
    const bool held_up = slow && !options_.sole_primary;
    step_.failures += failed ? 1 : 0;
    step_.slow += held_up ? 1 : 0;
    if (!failed && !held_up) recovered_some_ = true;
    return judge_step(now);
}

BreakerTransition Breaker::judge_step(Moment now) {
    if (reaches(step_.failures, options_.failure_share, step_.width)) return open(now, BreakerReason::probe_failed);
    if (reaches(step_.slow, options_.slow_share, step_.width)) return open(now, BreakerReason::probe_slow);
    if (step_.results < step_.width) return {};
    if (step_.width >= options_.ramp_most) return close(BreakerReason::recovered);
    const std::uint32_t width = std::min(step_.width * 2, options_.ramp_most);
    next_generation();
    begin_step(now, width);
    return {};
}

void Breaker::begin_step(Moment now, std::uint32_t width) {
    end_step();
    step_ = {};
    step_.width = width;
    step_.deadline = after(now, options_.half_open_time);
}

void Breaker::end_step() noexcept {
    counts_.probes_written_off += step_.held;
    step_.held = 0;
}

BreakerTransition Breaker::guard(Moment now, std::uint32_t rejected) {
    if (now < down_until_) return {};
    requests_.add({0, rejected});
    const Requests& seen = requests_.total();
    const double allowed = options_.guard_share * static_cast<double>(seen.all);
    if (seen.all < options_.guard_minimum || static_cast<double>(seen.rejected) <= allowed) return {};
    const BreakerState from = state();
    forget();
    mode_ = BreakerMode::observe;
    return {from, state(), BreakerReason::guard};
}

BreakerTransition Breaker::open(Moment now, BreakerReason reason) {
    const BreakerTransition change = move_to(BreakerState::open, reason);
    // Drawn from [d, 1.5 d] with d doubling from the least time, all of it within the bounds.
    const Duration least = std::max(options_.open_least, options_.open_most * 3 / 4);
    Duration low = options_.open_least;
    for (std::uint32_t n = 0; n < openings_in_row_ && low < least; ++n) low *= 2;
    low = std::min(low, least);
    open_until_ = after(now, random_.between(low, std::min(low + low / 2, options_.open_most)));
    ++openings_in_row_;
    ++counts_.opened;
    // Where no session can be had, it is the server that fails its callers, not the breaker, until somebody gets through.
    const bool by_dials = reason == BreakerReason::dial_failures || (options_.sole_primary && reason == BreakerReason::probe_failed);
    if (by_dials) down_until_ = std::max(down_until_, after(open_until_, options_.half_open_time));
    return change;
}

BreakerTransition Breaker::close(BreakerReason reason) {
    const BreakerTransition change = move_to(BreakerState::closed, reason);
    openings_in_row_ = 0;
    down_until_ = Moment();
    return change;
}

BreakerTransition Breaker::move_to(BreakerState machine, BreakerReason reason) {
    const BreakerState from = state();
    next_generation();
    window_.clear();
    failures_in_row_ = dial_failures_in_row_ = 0;
    machine_ = machine;
    // In mode observe the state shown stays the same, and there is nothing to tell.
    return from == state() ? BreakerTransition{} : BreakerTransition{from, state(), reason};
}

void Breaker::next_generation() noexcept {
    ++generation_;
    under_way_.clear();
    end_step();
}

void Breaker::forget() noexcept {
    next_generation();
    step_ = {};
    window_.clear();
    requests_.clear();
    failures_in_row_ = dial_failures_in_row_ = openings_in_row_ = 0;
    machine_ = BreakerState::closed;
}

BreakerTransition Breaker::set_mode(Moment now, BreakerMode mode) {
    now_ = std::max(now, now_);
    if (mode == mode_) return {};
    const BreakerState from = state();
    forget();
    mode_ = mode;
    return {from, state(), BreakerReason::mode_set};
}

BreakerTransition Breaker::reset(Moment now) {
    now_ = std::max(now, now_);
    const BreakerState from = state();
    forget();
    return from == state() ? BreakerTransition{} : BreakerTransition{from, state(), BreakerReason::reset};
}

BreakerState Breaker::state() const noexcept { return shown(mode_, machine_); }

Moment Breaker::rejects_until() const noexcept {
    if (mode_ == BreakerMode::forced_open) return kNever;
    return mode_ == BreakerMode::automatic && machine_ == BreakerState::open ? open_until_ : Moment::min();
}

Moment Breaker::next_change() const noexcept {
    if (!may_open() || machine_ == BreakerState::closed) return kNever;
    return machine_ == BreakerState::open ? open_until_ : step_.deadline;
}

BreakerCounts Breaker::counts() const noexcept {
    BreakerCounts counts = counts_;
    counts.calls = window_.total().calls;
    counts.failures = window_.total().failures;
    counts.slow = window_.total().slow;
    counts.probes_held = step_.held;
    return counts;
}

}  // namespace howdah::inline v0
