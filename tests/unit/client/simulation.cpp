#include "simulation.hpp"

#include <optional>

#include "client/policy/retry_budget.hpp"
#include "simulation_breaker.hpp"
#include "simulation_pool.hpp"

#ifndef HOWDAH_PLANTED_BUG
simulation::Planted*& simulation::Planted::list() {
    static Planted* first = nullptr;
    return first;
}
#endif

namespace howdah {

namespace simulated {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using PlaceState = PoolModel::State;

constexpr std::uint32_t kEvents = 200;
constexpr Moment kStart{hours(1000)};

const Error& dial_error() {
    static const Error error(Phase::connect, Cause::broken, {"refused", {}, {}, {}});
    return error;
}

BreakerOptions breaker_options(Random& random) {
    BreakerOptions options;
    options.minimum_calls = 3 + random.below(6);
    options.consecutive_failures = random.below(3) == 0 ? 0 : 2 + random.below(4);
    options.sole_primary = random.below(8) == 0;
    options.mode = random.below(8) == 0 ? BreakerMode::observe : BreakerMode::automatic;
    options.guard_share = random.below(4) == 0 ? 0.3 : 1;
    options.guard_minimum = 20;
    options.tracked_calls = kCalls * 2;
    return options;
}

PoolOptions pool_options(Random& random) {
    PoolOptions options;
    options.max_connections = 1 + random.below(kPlaces);
    options.min_idle = random.below(4) == 0 ? 1 : 0;
    options.max_waiters = 2 + random.below(8);
    options.dials_at_once = 1 + random.below(3);
    options.lifetime = random.below(2) == 0 ? Duration(seconds(40)) : Duration(minutes(30));
    options.idle_time = random.below(2) == 0 ? Duration(seconds(20)) : Duration(minutes(10));
    return options;
}

/// One schedule: callers, a server and a keeper played at random against the policies, with the models looking on.
class Schedule {
public:
    Schedule(std::uint64_t seed, simulation::Result& result)
        : random_(seed),
          result_(result),
          breaker_options_(breaker_options(random_)),
          pool_options_(pool_options(random_)),
          breaker_(breaker_options_, kStart, random_.next()),
          breaker_model_(breaker_options_, breaker_),
          pool_(pool_options_, random_.next()),
          pool_model_(pool_options_),
          budget_(budget_options_, kStart) {}

    /// The broken invariant, or null.
    const char* run() {
        for (event_ = 0; event_ < kEvents && broken_ == nullptr; ++event_) {
            looked_ = false;
            step();
            take_work();
            if (!looked_) look();
        }
        if (broken_ == nullptr) heal();
        result_.events += event_;
        result_.opened += breaker_.counts().opened;
        result_.rejected += breaker_.counts().rejected;
        return broken_;
    }
    std::uint32_t event() const { return event_; }

private:
    struct Call {
        enum class State : std::uint8_t { none, waiting, running } state = State::none;
        bool hangs = false;
        HeldPermit held;
        WaiterId waiter;
        ConnectionId connection;
        Moment deadline{};
    };

    void expect(const char* problem) {
        if (broken_ == nullptr) broken_ = problem;
    }
    void expect(bool holds, const char* problem) {
        if (!holds) expect(problem);
    }

    void step() {
        const std::uint32_t which = random_.below(64);
        if (which < 14) return new_call();
        if (which < 27) return end_call();
        if (which < 40) return background();
        if (which < 52) return pass_time();
        if (which < 54) return hang();
        if (which < 56) return give_up();
        if (which < 58) return spend();
        if (which < 59) return vote_outside();
        if (which < 60) return come_back();
        if (which < 61) return lose_connection();
        if (which < 62) return misuse();
        rare();
    }

    void rare() {
        switch (random_.below(8)) {
            case 0: return set_mode();
            case 1: breaker_.reset(now_); return breaker_model_.mode_set(breaker_);
            case 2: pool_.new_epoch(); return pool_model_.new_epoch();
            case 3:
                if (event_ < kEvents / 2) return;
                close_until_ = std::min(close_until_, now_ + seconds(random_.below(5)));
                pool_.close(now_, close_until_);
                pool_model_.closing = true;
                return;
            default: return pass_time();
        }
    }

    void set_mode() {
        constexpr std::array kModes{BreakerMode::automatic,   BreakerMode::automatic, BreakerMode::disabled,
                                    BreakerMode::forced_open, BreakerMode::observe,   BreakerMode::forced_closed};
        const BreakerMode mode = kModes[random_.below(kModes.size())];
        if (mode == breaker_.mode()) return;
        breaker_.set_mode(now_, mode);
        breaker_model_.mode_set(breaker_);
    }

    void look_at_breaker(const BreakerTransition& transition, bool ticked) {
        expect(breaker_model_.look(breaker_, transition, now_, ticked));
    }
    void tick_breaker() {
        if (now_ == ticked_) return;
        ticked_ = now_;
        look_at_breaker(breaker_.tick(now_), breaker_.mode() != BreakerMode::disabled);
    }

    Call* find(Call::State state) {
        const std::uint32_t start = random_.below(kCalls);
        for (std::uint32_t at = start; at < kCalls; ++at) {
            if (calls_[at].state == state) return &calls_[at];
        }
        for (std::uint32_t at = 0; at < start; ++at) {
            if (calls_[at].state == state) return &calls_[at];
        }
        return nullptr;
    }
    std::uint8_t number(const Call& call) const { return static_cast<std::uint8_t>(&call - calls_.data()); }

    /// Breaker, then pool; a refusal by the pool gives the permit back without a vote.
    void new_call() {
        Call* call = find(Call::State::none);
        if (call == nullptr) return;
        tick_breaker();
        const auto admission = breaker_.admit(now_);
        expect(breaker_model_.admitted(admission));
        look_at_breaker(admission.transition, false);
        budget_.earn();
        earned_ += budget_options_.earned_per_call;
        if (!admission.admitted) return;
        *call = {};
        call->held = {admission.permit, breaker_model_.era()};
        call->deadline = now_ + milliseconds(random_.below(60'000));
        queued_or_granted(*call, pool_.borrow(now_, "call", call->deadline), false);
    }

    void queued_or_granted(Call& call, const PoolCore::Borrowed& borrowed, bool again) {
        if (borrowed.kind == PoolCore::Borrowed::Kind::granted) {
            expect(pool_model_.queue_size() == 0, "somebody passed the queue");
            expect(pool_model_.granted(borrowed.connection));
            call.state = Call::State::running;
            call.connection = borrowed.connection;
            ++result_.served;
        } else if (borrowed.kind == PoolCore::Borrowed::Kind::queued) {
            expect(again || pool_model_.queue_size() < pool_options_.max_waiters, "more waiters than the cap");
            call.state = Call::State::waiting;
            call.waiter = borrowed.waiter;
            pool_model_.wait(number(call), again);
        } else {
            ++result_.refused;
            call.state = Call::State::none;
            expect(pool_model_.closing || again || pool_model_.queue_size() >= pool_options_.max_waiters,
                   "refused although there was room to wait");
            finish(call, Vote::none);
        }
    }

    void finish(Call& call, Vote vote) {
        tick_breaker();
        const HeldPermit held = call.held;
        breaker_model_.finishing(breaker_);
        const auto transition = breaker_.finish(now_, call.held.permit, vote);
        expect(breaker_model_.finished(breaker_, held, vote, now_));
        look_at_breaker(transition, false);
        expect(call.held.permit.kind == Breaker::Permit::Kind::none, "a permit was not emptied");
        call.held = {};
    }

    /// Success, failure, slow, throw, cancel, or the caller is destroyed.
    void end_call() {
        Call* call = find(Call::State::running);
        if (call == nullptr || call->hangs) return;
        struct End {
            Vote vote;
            Fate fate;
        };
        constexpr std::array kEnds{
            End{Vote::success, Fate::keep},     End{Vote::success, Fate::keep},    End{Vote::success, Fate::keep},
            End{Vote::success, Fate::keep},     End{Vote::success, Fate::keep},    End{Vote::failure, Fate::drop},
            End{Vote::failure, Fate::drop},     End{Vote::overload, Fate::keep},   End{Vote::slow, Fate::drain},
            End{Vote::none, Fate::keep},        End{Vote::none, Fate::drain},      End{Vote::none, Fate::drop},
            End{Vote::termination, Fate::drop}, End{Vote::none, Fate::drop_epoch}, End{Vote::dial_failure, Fate::drop},
            End{Vote::failure, Fate::drain}};
        // Bad times make failures come in a row.
        const End end = bad_times_ && random_.below(4) != 0 ? kEnds[5 + random_.below(11)] : kEnds[random_.below(kEnds.size())];
        finish(*call, end.vote);
        give_back(*call, end.fate, random_.below(6) == 0);
    }

    void give_back(Call& call, Fate fate, bool dirty) {
        call.state = Call::State::none;
        auto& place = pool_model_.places[call.connection.place];
        const bool mine = place.state == PlaceState::leased && place.id == call.connection;
        expect(pool_.give_back(now_, call.connection, fate, dirty) == mine, "a lease was refused, or one that had ended taken");
        if (!mine) return;
        if (fate == Fate::drop_epoch) pool_model_.new_epoch();
        place.dirty = dirty;
        returned(call.connection);
    }

    /// Where the pool put a connection that came back, in the pool's own words; the models check that it is a place it may be in.
    void returned(ConnectionId id) {
        auto& place = pool_model_.places[id.place];
        // Unless work says otherwise it lies idle now, or serves the next in line, or is about to be closed, reset or drained.
        place.state = PlaceState::none;
        unsettled_ = id;
        take_work();
        if (unsettled_.place == kNowhere) return;
        if (place.dirty) return expect("a dirty session was kept");
        if (!pool_model_.is_current(id.place)) return expect("a connection of an old epoch was kept");
        pool_model_.idle(id.place);
        unsettled_ = {};
    }

    void take_work() {
        while (pool_.has_work(now_)) do_work(pool_.next_work(now_));
    }

    void do_work(const PoolCore::Work& work) {
        using Kind = PoolCore::Work::Kind;
        const bool settles = work.connection.place == unsettled_.place && work.kind != Kind::dial && work.kind != Kind::refuse;
        auto& place = pool_model_.places[work.connection.place == kNowhere ? 0 : work.connection.place];
        if (settles) {
            unsettled_ = {};
            place.state = PlaceState::leased;
        }
        switch (work.kind) {
            case Kind::serve: return served(work);
            case Kind::refuse: return refused(work);
            case Kind::dial: return expect(pool_model_.dial_begun(work.connection, now_));
            case Kind::reset: return pool_model_.to(work.connection, PlaceState::resetting, after(now_, pool_options_.reset_time));
            case Kind::drain: return pool_model_.to(work.connection, PlaceState::draining, after(now_, pool_options_.drain_time));
            case Kind::cancel: return expect(now_ >= close_until_, "cancelled before the pool's end");
            case Kind::close: return expect(pool_model_.close_told(work.connection, settles || now_ >= close_until_));
            case Kind::none: return;
        }
    }

    void served(const PoolCore::Work& work) {
        if (pool_model_.queue_size() == 0) return expect("somebody was served who did not wait");
        Call& call = calls_[pool_model_.next_in_line()];
        if (call.waiter != work.waiter) return expect("served out of turn");
        pool_model_.leave_queue(number(call));
        expect(pool_model_.leased(work.connection));
        call.state = Call::State::running;
        call.connection = work.connection;
        ++result_.served;
    }

    void refused(const PoolCore::Work& work) {
        for (Call& call : calls_) {
            if (call.state != Call::State::waiting || call.waiter != work.waiter) continue;
            expect(pool_model_.closing || call.deadline <= now_, "refused before the deadline");
            pool_model_.leave_queue(number(call));
            call.state = Call::State::none;
            ++result_.refused;
            return finish(call, Vote::none);
        }
        expect("somebody was refused who did not wait");
    }

    /// The keeper's machines: one of them comes to an end.
    void background() {
        const std::uint32_t start = random_.below(kPlaces);
        for (std::uint32_t i = 0; i < kPlaces; ++i) {
            const std::uint32_t at = (start + i) % kPlaces;
            if (finish_background(at, random_.below(bad_times_ ? 2 : 8) != 0)) return;
        }
    }

    bool finish_background(std::uint32_t at, bool good) {
        auto& place = pool_model_.places[at];
        const ConnectionId id = place.id;
        switch (place.state) {
            case PlaceState::dialling: finish_dial(id, good); return true;
            case PlaceState::resetting:
                place.dirty = !good;
                expect(pool_.reset_done(now_, id, good), "a reset was not expected");
                returned(id);
                return true;
            case PlaceState::draining: {
                const bool still_dirty = place.dirty || !good;
                expect(pool_.drained(now_, id, good), "a drain was not expected");
                place.dirty = still_dirty;
                returned(id);
                return true;
            }
            case PlaceState::closing:
                expect(pool_.closed(id), "a close was not expected");
                place.state = PlaceState::none;
                return true;
            default: return false;
        }
    }

    void finish_dial(ConnectionId id, bool good) {
        if (good) {
            expect(pool_.dialled(now_, id), "a dial was not expected");
            pool_model_.endpoint_fails = false;
            return returned(id);
        }
        const bool left = random_.below(4) == 0;
        expect(pool_.dial_failed(now_, id, dial_error(), left), "a failed dial was not expected");
        pool_model_.endpoint_fails = true;
        pool_model_.to(id, left ? PlaceState::closing : PlaceState::none, kNever);
    }

    /// The clock jumps; then everything that waits for time has its turn.
    void pass_time() {
        const std::uint32_t far = random_.below(32);
        const Duration most = far < 16   ? Duration(milliseconds(100))
                              : far < 27 ? Duration(seconds(4))
                              : far < 31 ? Duration(seconds(31))
                                         : Duration(minutes(40));
        now_ += microseconds(1) + random_.between(Duration::zero(), most);
        if (far == 0) bad_times_ = !bad_times_;
        tick_breaker();
        check_slow_calls();
        tick_pool();
    }

    void tick_pool() {
        for (const auto& place : pool_model_.places) {
            // A dial beyond its time is a failed one.
            if (place.state == PlaceState::dialling && place.until <= now_) pool_model_.endpoint_fails = true;
        }
        pool_.tick(now_);
        take_work();
        look_at_budget();
        expect(pool_model_.check(pool_, now_, true));
        looked_ = true;
        for (const Call& call : calls_)
            expect(call.state != Call::State::waiting || call.deadline > now_, "a waiter was held past his deadline");
    }

    void check_slow_calls() {
        const bool counting = breaker_.mode() == BreakerMode::automatic || breaker_.mode() == BreakerMode::observe;
        if (!counting || breaker_.would_be() != BreakerState::closed) return;
        std::uint64_t slow = 0;
        for (const Call& call : calls_) {
            const bool counted = call.held.permit.kind == Breaker::Permit::Kind::counted && call.held.era == breaker_model_.era();
            const Duration age = now_ - call.held.permit.begun;
            slow +=
                counted && age >= breaker_options_.slow_after && age < breaker_options_.slow_after + breaker_options_.window / 2 ? 1 : 0;
        }
        expect(breaker_.counts().slow >= slow, "a call that hangs was not counted as slow");
    }

    void hang() {
        if (Call* call = find(Call::State::running)) call->hangs = true;
    }

    /// The caller is gone, waiting or not.
    void give_up() {
        if (Call* call = find(Call::State::waiting)) {
            expect(pool_.stop_waiting(now_, call->waiter).has_value(), "a waiter could not leave");
            expect(!pool_.stop_waiting(now_, call->waiter), "a waiter left twice");
            pool_model_.leave_queue(number(*call));
            call->state = Call::State::none;
            finish(*call, Vote::none);
        } else if (Call* running = find(Call::State::running)) {
            finish(*running, Vote::none);
            give_back(*running, Fate::drop, true);
        }
    }

    void spend() {
        const auto reason = random_.below(3) == 0 ? RetryBudget::After::timeout : RetryBudget::After::failure;
        const std::int64_t price = reason == RetryBudget::After::timeout ? budget_options_.cost_after_timeout : budget_options_.cost;
        const std::int64_t before = budget_.left(now_);
        const bool paid = budget_.spend(now_, reason);
        spent_ += paid ? price : 0;
        expect(paid == (before >= price), "the budget paid what it had not, or refused what it had");
        const auto passed = std::chrono::duration_cast<milliseconds>(now_ - kStart).count() + 1;
        expect(spent_ <= earned_ + budget_options_.floor_per_second + budget_options_.floor_per_second * passed / 1000,
               "more was spent than came in");
        last_spend_ = paid ? now_ : last_spend_;
    }

    void vote_outside() {
        const bool good = !bad_times_ && random_.below(4) != 0;
        tick_breaker();
        if (breaker_.would_be() == BreakerState::half_open) breaker_model_.voted_outside();
        const auto transition =
            random_.below(2) == 0 ? breaker_.monitored(now_, good) : breaker_.vote(now_, good ? Vote::success : Vote::dial_failure);
        look_at_breaker(transition, false);
    }

    void come_back() {
        tick_breaker();
        look_at_breaker(breaker_.server_is_back(now_), true);
        expect(breaker_.would_be() != BreakerState::open || breaker_.mode() == BreakerMode::forced_closed ||
                   breaker_.mode() == BreakerMode::forced_open || breaker_.mode() == BreakerMode::disabled,
               "open although the server is back");
        pool_.server_is_back();
        take_work();
    }

    void lose_connection() {
        Call* call = find(Call::State::running);
        if (call == nullptr) return;
        auto& place = pool_model_.places[call->connection.place];
        const bool mine = place.state == PlaceState::leased && place.id == call->connection;
        expect(pool_.lost(now_, call->connection) == mine, "a dead connection was not taken back, or another's was");
        if (mine) place.state = PlaceState::none;
        call->deadline = now_ + milliseconds(random_.below(3000));
        queued_or_granted(*call, pool_.borrow_again(now_, "again", call->deadline), true);
    }

    /// A lease that has ended is given back again, and a permit too.
    void misuse() {
        Breaker::Permit empty;
        expect(!breaker_.finish(now_, empty, Vote::failure), "an empty permit voted");
        Call* call = find(Call::State::running);
        if (call == nullptr) return;
        const ConnectionId old{call->connection.place, call->connection.use - 1};
        expect(!pool_.give_back(now_, old, Fate::keep, false), "a lease that had ended was given back");
        expect(!pool_.dialled(now_, call->connection), "a lease was taken for a dial");
    }

    void look() {
        look_at_budget();
        expect(pool_model_.check(pool_, now_, false));
    }

    void look_at_budget() {
        const std::int64_t left = budget_.left(now_);
        expect(left >= 0, "the budget is below zero");
        expect(left <= budget_options_.cap, "the budget is above its cap");
        if (now_ - last_spend_ >= seconds(1)) expect(left >= budget_options_.floor_per_second, "the budget's floor did not come back");
    }

    /// Good times come back: everything must become well by itself.
    void heal() {
        bad_times_ = false;
        for (Call& call : calls_) {
            if (call.state == Call::State::running) {
                finish(call, Vote::none);
                give_back(call, Fate::keep, false);
            }
        }
        heal_pool();
        for (const Call& call : calls_) expect(call.held.permit.kind == Breaker::Permit::Kind::none, "a call lost its permit");
        expect(breaker_.counts().probes_held == 0, "a probe permit was lost");
        heal_breaker();
    }

    void heal_pool() {
        if (!pool_model_.closing) queue_one();
        for (int round = 0; round < 40 && broken_ == nullptr; ++round) {
            now_ += pool_options_.dial_backoff.cap;
            tick_pool();
            for (std::uint32_t at = 0; at < kPlaces; ++at) {
                finish_background(at, true);
                take_work();
            }
            for (Call& call : calls_) {
                if (call.state != Call::State::running) continue;
                finish(call, Vote::none);
                give_back(call, Fate::keep, false);
            }
            const bool done = pool_model_.closing ? pool_.finished() : find(Call::State::waiting) == nullptr;
            if (done && find(Call::State::running) == nullptr) return;
        }
        expect(pool_model_.closing ? "a closed pool did not end" : "a waiter was never served");
    }

    void queue_one() {
        Call* call = find(Call::State::none);
        if (call == nullptr || broken_ != nullptr) return;
        *call = {};
        call->deadline = kNever;
        queued_or_granted(*call, pool_.borrow(now_, "last", call->deadline), false);
    }

    void heal_breaker() {
        if (breaker_.mode() == BreakerMode::forced_open) return;
        for (int round = 0; round < 60 && broken_ == nullptr; ++round) {
            tick_breaker();
            if (breaker_.would_be() == BreakerState::closed) {
                ++result_.closed;
                return;
            }
            auto admission = breaker_.admit(now_);
            expect(breaker_model_.admitted(admission));
            look_at_breaker(admission.transition, false);
            Call call;
            call.held = {admission.permit, breaker_model_.era()};
            if (admission.permit.kind == Breaker::Permit::Kind::probe) {
                finish(call, Vote::success);
            } else {
                now_ = std::max(now_, std::min(breaker_.next_change(), now_ + breaker_options_.open_most));
            }
        }
        expect("the breaker never closed again");
    }

    Random random_;
    simulation::Result& result_;
    BreakerOptions breaker_options_;
    PoolOptions pool_options_;
    RetryBudgetOptions budget_options_{.cap = 6000};
    Breaker breaker_;
    BreakerModel breaker_model_;
    PoolCore pool_;
    PoolModel pool_model_;
    RetryBudget budget_;

    Moment now_ = kStart;
    Moment ticked_ = Moment::min();
    std::uint32_t event_ = 0;
    const char* broken_ = nullptr;
    std::array<Call, kCalls> calls_{};
    bool bad_times_ = false;
    bool looked_ = false;  ///< All was checked since the last event.
    Moment close_until_ = kNever;
    ConnectionId unsettled_{};
    std::int64_t earned_ = 0;
    std::int64_t spent_ = 0;
    Moment last_spend_ = kStart;
};

}  // namespace
}  // namespace simulated

simulation::Result simulate(std::uint64_t first_seed, std::uint64_t count) {
    simulation::Result result;
    for (std::uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
        simulated::Schedule schedule(seed, result);
        ++result.schedules;
        result.broken = schedule.run();
        if (result.broken == nullptr) continue;
        result.seed = seed;
        result.event = schedule.event();
        return result;
    }
    return result;
}

#ifdef HOWDAH_PLANTED_BUG
namespace {
simulation::Planted planted(HOWDAH_PLANTED_BUG, &simulate);
}
#endif

}  // namespace howdah
