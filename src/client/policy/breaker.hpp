#pragma once

#include <cstdint>

#include "client/policy/call_list.hpp"
#include "client/policy/random.hpp"
#include "client/policy/time_ring.hpp"
#include "howdah/breaker.hpp"
#include "howdah/classify.hpp"

namespace howdah::inline v0 {

/// The circuit breaker of one endpoint and role: told of moments and events, it answers with decisions. No clock, lock, thread or
/// callback; no allocation after construction. A moment before the last one told counts as the last one. One user at a time.
///
/// Every admitted call holds a permit and gives it back once with finish(), whatever became of the call: answered, thrown, cancelled or
/// destroyed (the last three with Vote::none). A permit carries the generation of the state it was issued in; after a change of state
/// its vote is dropped. A permit never given back is written off when its step's time is over, so nothing waits for it.
class Breaker {
    struct Calls {
        std::uint64_t calls = 0, failures = 0, slow = 0, terminations = 0;
        Calls& operator+=(const Calls& other) noexcept {
            calls += other.calls;
            failures += other.failures;
            slow += other.slow;
            terminations += other.terminations;
            return *this;
        }
        Calls& operator-=(const Calls& other) noexcept {
            calls -= other.calls;
            failures -= other.failures;
            slow -= other.slow;
            terminations -= other.terminations;
            return *this;
        }
    };
    struct Requests {
        std::uint64_t all = 0, rejected = 0;
        Requests& operator+=(const Requests& other) noexcept {
            all += other.all;
            rejected += other.rejected;
            return *this;
        }
        Requests& operator-=(const Requests& other) noexcept {
            all -= other.all;
            rejected -= other.rejected;
            return *this;
        }
    };

public:
    /// What an admitted call holds.
    struct Permit {
        enum class Kind : std::uint8_t { none, counted, probe, free };  ///< `free` casts no vote.
        Kind kind = Kind::none;
        std::uint32_t generation = 0;
        CallList::Entry entry;
        Moment begun{};
    };
    struct Admission {
        bool admitted = false;
        Permit permit;
        BreakerTransition transition;  ///< What asking brought about.
    };

    /// Options that passed check().
    Breaker(const BreakerOptions& options, Moment now, std::uint64_t seed);

    Admission admit(Moment now);
    /// The good path of admit(): true where a counted permit is all that comes of it; else false, and nothing done.
    bool admit_plainly(Moment now, Permit& permit) noexcept {
        if (!plain(now)) return false;
        requests_.roll(now_);
        requests_.template count<&Requests::all>();
        permit = {Permit::Kind::counted, generation_, under_way_.add(now_), now_};
        return true;
    }
    /// Gives the permit back; it is empty afterwards, and giving back an empty one does nothing. A success that took longer than
    /// `slow_after` is slow without the caller's saying so.
    BreakerTransition finish(Moment now, Permit& permit, Vote vote);
    /// The good path of finish() with Vote::success: true where nothing in the window speaks against the server; else false, and nothing
    /// done.
    bool finish_plainly(Moment now, Permit& permit) noexcept {
        const bool counted = permit.kind == Permit::Kind::counted && permit.generation == generation_;
        if (!counted || !plain(now) || now_ - permit.begun >= slow_after_) return false;
        window_.roll(now_);
        const Calls& seen = window_.total();
        if ((seen.failures | seen.slow | seen.terminations) != 0) return false;
        under_way_.remove(permit.entry);
        permit.kind = Permit::Kind::none;
        window_.template count<&Calls::calls>();
        failures_in_row_ = dial_failures_in_row_ = 0;
        return true;
    }
    /// A vote from outside a call: a dial in the background. Vote::success there means that a session was had.
    BreakerTransition vote(Moment now, Vote vote);
    /// What the monitor's own connection saw. It probes in a caller's place, and while it says "down", rejections do not count against
    /// the guard: the server fails then, not the breaker.
    BreakerTransition monitored(Moment now, bool up);
    /// The monitor's last word was "down", and it is still trying: that word stays new.
    void still_down(Moment now) noexcept;
    /// Somebody has got a session after a time in which nobody could: an open breaker need not stay so to the end of its time.
    BreakerTransition server_is_back(Moment now);
    /// Lets time do its work; at least once a second and before state() is shown.
    BreakerTransition tick(Moment now);
    /// Calls that were rejected by rejects_until() alone.
    BreakerTransition rejected_outside(Moment now, std::uint32_t calls);

    /// A call that waits for a session instead of being admitted: in mode observe it is counted when it would have been rejected.
    void note_rejection() noexcept;

    /// A new mode starts closed, with an empty window. Permits issued before are still to be given back; their votes are dropped.
    BreakerTransition set_mode(Moment now, BreakerMode mode);
    /// The same without a change of mode.
    BreakerTransition reset(Moment now);

    BreakerState state() const noexcept;
    BreakerMode mode() const noexcept { return mode_; }
    /// What the state would be in mode automatic; it differs from state() in mode observe.
    BreakerState would_be() const noexcept { return machine_; }
    /// Until then every call is rejected, so a caller that knows this moment need not ask; the clock's beginning when calls may pass.
    Moment rejects_until() const noexcept;
    /// When tick() next has something to do in the open or half-open state.
    Moment next_change() const noexcept;
    BreakerCounts counts() const noexcept;

private:
    /// One step of the half-open state.
    struct Step {
        std::uint32_t width = 0;    ///< Results it needs.
        std::uint32_t issued = 0;   ///< Probes that gave a result or still may.
        std::uint32_t results = 0;  ///< Never above issued, which is never above width.
        std::uint32_t failures = 0;
        std::uint32_t slow = 0;
        std::uint32_t held = 0;  ///< Permits not given back.
        bool timed = false;      ///< The deadline runs from a probe, not from an idle beginning.
        Moment deadline = kNever;
    };

    /// Whether the passing of time changes nothing and calls pass with a counted permit.
    bool plain(Moment now) noexcept {
        now_ = now > now_ ? now : now_;
        return machine_ == BreakerState::closed && may_open() && !under_way_.any_to_mark(now_ - slow_after_);
    }
    BreakerTransition advance(Moment& now);
    BreakerTransition advance_half_open(Moment now);
    BreakerTransition record(Moment now, Vote vote, bool slow, bool counted_before);
    BreakerTransition record_probe(Moment now, Vote vote, bool slow);
    BreakerTransition judge(Moment now);
    BreakerTransition judge_step(Moment now);
    BreakerTransition guard(Moment now, std::uint32_t rejected);
    BreakerTransition open(Moment now, BreakerReason reason);
    BreakerTransition half_open(BreakerReason reason);
    BreakerTransition close(BreakerReason reason);
    BreakerTransition move_to(BreakerState machine, BreakerReason reason);
    void begin_step(Moment now, std::uint32_t width);
    void end_step() noexcept;
    void next_generation() noexcept;
    void forget() noexcept;
    bool may_open() const noexcept { return mode_ == BreakerMode::automatic || mode_ == BreakerMode::observe; }
    Permit issue(Moment now, Permit::Kind kind) noexcept;

    // What each call touches comes first, side by side.
    BreakerMode mode_;
    BreakerState machine_ = BreakerState::closed;
    std::uint32_t generation_ = 1;
    Moment now_;
    const Duration slow_after_;
    std::uint32_t failures_in_row_ = 0;
    std::uint32_t dial_failures_in_row_ = 0;
    CallList under_way_;
    TimeRing<Calls> window_;
    TimeRing<Requests> requests_;

    const BreakerOptions options_;
    std::uint32_t openings_in_row_ = 0;
    Moment open_until_{};
    Moment down_until_{};  ///< Until then the server is down by the monitor's word, or by that of the dials that opened the breaker.
    Step step_;
    bool recovered_some_ = false;  ///< A probe of the present half-open state went well.
    Random random_;
    BreakerCounts counts_;
};

}  // namespace howdah::inline v0
