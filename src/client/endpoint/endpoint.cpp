#include "client/endpoint/endpoint.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "client/policy/borrow_error.hpp"

// How a call comes in and goes out.
namespace howdah::inline v0 {

namespace {

std::uint64_t seed() {
    std::random_device source;
    return (std::uint64_t{source()} << 32U) | source();
}

const ParameterView kNoParameters;

/// A dial ends itself in time and tells what it was at; the pool's own bound, which tells nothing, stands behind that.
PoolOptions with_patience(PoolOptions options) {
    constexpr Duration kBehind = std::chrono::seconds(1);
    if (options.dial_time < Duration::max() - kBehind) options.dial_time += kBehind;
    return options;
}

}  // namespace

Endpoint::Endpoint(std::string name, const EndpointPolicies& policies, Observer observer, Moment now)
    : forks_(fork_count()),
      spans_wanted_(static_cast<bool>(observer.on_span)),
      last_(now),
      bulkhead_(policies.bulkhead),
      places_(policies.pool.max_connections),
      pool_(with_patience(policies.pool), seed()),
      breaker_(policies.breaker, now, seed()),
      name_(std::move(name)),
      pool_limit_(policies.pool.max_connections),
      observer_(std::move(observer)),
      failure_budget_(policies.failure_budget, now),
      contention_budget_(policies.contention_budget, now),
      waiting_(std::size_t{policies.pool.max_waiters} + policies.pool.max_connections),
      waiting_ids_(waiting_.size()) {
    word_opening(breaker_.mode() == BreakerMode::forced_open ? BreakerReason::mode_set : BreakerReason::none);
    inbox_.reserve(std::size_t{4} * policies.pool.max_connections);
    publish();
}

Result<Grant> Endpoint::admit(Moment now, Moment deadline, std::string_view tag, const std::stop_token& stop) {
    if (forked()) return borrow_error({BorrowFailure::forked}, std::nullopt);
    if (now.time_since_epoch().count() < rejects_until_.load(std::memory_order_relaxed)) {
        rejected_outside_.fetch_add(1, std::memory_order_relaxed);
        return open_error();
    }
    if (now > deadline) {
        return Error(Phase::borrow, Cause::timed_out,
                     {"the deadline had passed before a connection was asked for", {}, "give calls more time", name_});
    }
    if (stop.stop_requested()) return stopped_error();
    Grant grant;
    bool again = false;
    while (true) {
        After after;
        Entered entered;
        std::optional<Parked> parked;
        {
            const std::scoped_lock lock(mutex_);
            now = told(now);
            if (!again && !bulkhead_.enter()) {
                entered.entry = Entry::full;
            } else {
                const auto borrowed = again ? pool_.borrow_again(now, tag, deadline) : pool_.borrow(now, tag, deadline);
                if (borrowed.kind == PoolCore::Borrowed::Kind::queued) parked.emplace();
                entered = enter(now, borrowed, parked, grant, after);
            }
        }
        settle(after);
        bool stopped = false;
        if (entered.entry == Entry::queued) {
            const bool by_keeper = kept_here();
            entered = await(*parked, entered.waiter, by_keeper ? now : deadline, stop, grant);
            if (by_keeper && entered.entry == Entry::refused) return keeper_would_wait();
            stopped = stop.stop_requested();
            now = std::chrono::steady_clock::now();
        }
        if (entered.entry != Entry::granted) return refused(entered, stopped);
        if (entered.check == Check::none || alive(grant, entered.check, deadline)) return grant;
        again = true;
        now = std::chrono::steady_clock::now();
    }
}

bool Endpoint::admit_at_once(Moment now, Moment deadline, std::string_view tag, const std::stop_token& stop, Grant& grant) {
    const bool rejected = now.time_since_epoch().count() < rejects_until_.load(std::memory_order_relaxed);
    if (forked() || rejected || now > deadline || stop.stop_requested()) return false;
    std::unique_lock lock(mutex_);
    now = told(now);
    if (bulkhead_.full()) return false;
    const auto idle = pool_.take_idle(now, tag);
    if (!idle) return false;
    if (!breaker_.admit_plainly(now, grant.permit)) {
        pool_.return_unused(now, *idle);
        return false;
    }
    bulkhead_.enter();
    grant.connection = *idle;
    grant.begun = now;
    places_[idle->place].leased = true;
    if (!pool_.has_work(now)) return true;
    After after;
    pump(now, after);
    lock.unlock();
    settle(after);
    return true;
}

void Endpoint::rest(Moment now, Grant& grant) {
    act(now, [&](After& after) { note(breaker_.finish(now, grant.permit, Vote::success), now, after); });
}

Endpoint::Entered Endpoint::enter(Moment now, const PoolCore::Borrowed& borrowed, std::optional<Parked>& parked, Grant& grant,
                                  After& after) {
    Entered entered;
    switch (borrowed.kind) {
        case PoolCore::Borrowed::Kind::refused: entered.refusal = borrowed.refusal; break;
        case PoolCore::Borrowed::Kind::queued:
            if (breaker_.rejects_until() > now) {
                pool_.stop_waiting(now, borrowed.waiter);
                note(breaker_.admit(now).transition, now, after);
                entered.entry = Entry::rejected;
            } else {
                breaker_.note_rejection();
                parked->begun = now;
                waiting_[borrowed.waiter.place] = &*parked;
                waiting_ids_[borrowed.waiter.place] = borrowed.waiter;
                entered.entry = Entry::queued;
                entered.waiter = borrowed.waiter;
                // While nobody waited the keeper had no reason to wake up when the backoff is over; for those behind him it has.
                after.keeper = pool_.counts().waiting == 1 && pool_.dial_put_off(now);
            }
            break;
        case PoolCore::Borrowed::Kind::granted: {
            entered.check = borrowed.check;
            entered.entry = admit_leased(now, borrowed.connection, grant, after);
            break;
        }
    }
    pump(now, after);
    return entered;
}

Endpoint::Entry Endpoint::admit_leased(Moment now, ConnectionId connection, Grant& grant, After& after) {
    const Breaker::Admission admission = breaker_.admit(now);
    note(admission.transition, now, after);
    if (!admission.admitted) {
        places_[connection.place].leased = false;
        pool_.return_unused(now, connection);
        return Entry::rejected;
    }
    grant = {connection, admission.permit, now};
    places_[connection.place].leased = true;
    return Entry::granted;
}

Endpoint::Entered Endpoint::await(Parked& parked, WaiterId waiter, Moment deadline, const std::stop_token& stop, Grant& grant) {
    const Parked::End end = parked.wait(deadline, stop);
    Entered entered;
    if (end != Parked::End::resumed) {
        const std::scoped_lock lock(mutex_);
        const Moment now = told(std::chrono::steady_clock::now());
        if (const auto refusal = pool_.stop_waiting(now, waiter)) {
            waiting_[waiter.place] = nullptr;
            wait_.add(now - parked.begun);
            entered.refusal = *refusal;
            return entered;
        }
    }
    // Served or refused meanwhile: the answer is here or on its way.
    parked.wait();
    if (parked.work.kind == PoolCore::Work::Kind::serve) {
        entered.entry = parked.admitted ? Entry::granted : Entry::rejected;
        grant = parked.grant;
    } else {
        entered.refusal = parked.work.refusal;
    }
    return entered;
}

Error Endpoint::stopped_error() const {
    return Error(Phase::borrow, Cause::cancelled, {"stopped before a connection was had", {}, {}, name_});
}

Error Endpoint::keeper_would_wait() {
    leave_bulkhead();
    return Error(Phase::borrow, Cause::usage,
                 {"no connection at once, and a callback on the client's own thread cannot wait for one: that thread dials",
                  {},
                  "hand such work to a thread of the service",
                  name_});
}

Error Endpoint::refused(const Entered& entered, bool stopped) {
    if (entered.entry != Entry::full) leave_bulkhead();
    if (entered.entry == Entry::rejected) return open_error();
    if (entered.entry == Entry::full) {
        return Error(Phase::borrow, Cause::refused,
                     {"no room for another call: as many are under way as the bulkhead allows", {}, "send less, or raise bulkhead", name_});
    }
    if (stopped) return stopped_error();
    std::optional<Error> dial_error;
    {
        const std::scoped_lock lock(mutex_);
        ++not_served_[static_cast<std::size_t>(entered.refusal.failure)];
        dial_error = pool_.last_dial_error();
    }
    if (entered.refusal.failure == BorrowFailure::breaker_open) return open_error();
    return borrow_error(entered.refusal, dial_error);
}

bool Endpoint::alive(const Grant& grant, Check check, Moment deadline) {
    Session& session = this->session(grant);
    const Session::Life life = session.look();
    bool well = life != Session::Life::gone;
    // libpq does not tell a farewell whose end of stream is still on its way from a notice.
    if (well && (check == Check::ping || life == Session::Life::heard)) {
        // The server's word is asked under the dial's patience: a dead link is found by the caller's deadline at the latest.
        Waiter waiter{{}};
        const Step step{Step::Kind::text, Step::Part::body, "SELECT 1", nullptr, kNoParameters};
        well = session.start({&step, 1}).has_value() && drive(session, waiter, deadline, std::chrono::steady_clock::now()) == Wake::ready &&
               session.take().has_value();
    }
    if (well) return true;
    Grant lost = grant;
    Moment now = std::chrono::steady_clock::now();
    act(now, [&](After& after) {
        // What this says of the server the dial that follows will tell better.
        note(breaker_.finish(now, lost.permit, Vote::none), now, after);
        places_[lost.connection.place].leased = false;
        pool_.give_back(now, lost.connection, Fate::drop, false);
        ++session_counts_.lost;
    });
    if (log_wanted()) log(now, LogKind::session, Severity::warning, "an idle session of the pool was gone when it was wanted");
    return false;
}

void Endpoint::give_back_well(Moment now, Grant& grant) {
    bool held = false;
    if (!forked() && grant.connection.place < places_.size() && session(grant).clean()) {
        const std::scoped_lock lock(mutex_);
        now = told(now);
        held = pool_.put_back(now, grant.connection);
        if (held) {
            places_[grant.connection.place].leased = false;
            returned(now, grant, true);
            if (breaker_.finish_plainly(now, grant.permit) && !pool_.has_work(now)) return;
        }
    }
    if (held) {
        rest(now, grant);
    } else {
        give_back(now, grant, Vote::success, Fate::keep, true);
    }
}

bool Endpoint::give_back(Moment now, Grant& grant, Vote vote, Fate fate, bool first_try) {
    // The session is the parent's; its lock may have been taken in the moment of the fork.
    if (forked() || grant.connection.place >= places_.size()) return false;
    Session& session = this->session(grant);
    const bool lost = !session.connected();
    if (lost) fate = fate == Fate::drop_epoch ? fate : Fate::drop;
    const bool dirty = fate != Fate::drop && fate != Fate::drop_epoch && (fate == Fate::drain || !session.clean());
    After after;
    bool held = false;
    {
        const std::scoped_lock lock(mutex_);
        now = told(now);
        held = pool_.give_back(now, grant.connection, fate, dirty);
        places_[grant.connection.place].leased = false;
        if (held) {
            returned(now, grant, first_try);
            session_counts_.lost += lost ? 1 : 0;
            note(breaker_.finish(now, grant.permit, vote), now, after);
        }
        pump(now, after);
    }
    grant.connection = {};
    settle(after);
    return held;
}

void Endpoint::settle_budgets() noexcept {
    failure_budget_.earn(first_tries_);
    contention_budget_.earn(first_tries_);
    first_tries_ = 0;
}

void Endpoint::leave_bulkhead() {
    const std::scoped_lock lock(mutex_);
    bulkhead_.leave();
}

void Endpoint::pump(Moment now, After& after) {
    while (pool_.has_work(now)) {
        const PoolCore::Work work = pool_.next_work(now);
        if (work.kind == PoolCore::Work::Kind::none) return;
        if (work.kind != PoolCore::Work::Kind::serve && work.kind != PoolCore::Work::Kind::refuse) {
            inbox_.push_back(work);
            after.keeper = true;
            continue;
        }
        Waiting* const waiting = std::exchange(waiting_[work.waiter.place], nullptr);
        // One who stopped waiting in the same moment has taken his answer himself.
        if (waiting == nullptr) continue;
        // Here rather than by the waiter, who would need the mutex again.
        if (work.kind == PoolCore::Work::Kind::serve)
            waiting->admitted = admit_leased(now, work.connection, waiting->grant, after) == Entry::granted;
        answer(*waiting, work, now, after);
    }
}

void Endpoint::refuse_waiting(Moment now, After& after) {
    for (std::uint32_t place = 0; place < waiting_.size(); ++place) {
        if (waiting_[place] == nullptr) continue;
        auto refusal = pool_.stop_waiting(now, waiting_ids_[place]);
        if (!refusal) continue;
        refusal->failure = BorrowFailure::breaker_open;
        Waiting* const waiting = std::exchange(waiting_[place], nullptr);
        answer(*waiting, {PoolCore::Work::Kind::refuse, {}, waiting_ids_[place], *refusal}, now, after);
    }
}

void Endpoint::answer(Waiting& waiting, const PoolCore::Work& work, Moment now, After& after) noexcept {
    wait_.add(now - waiting.begun);
    waiting.work = work;
    waiting.next = std::exchange(after.resumed, &waiting);
}

void Endpoint::word_opening(BreakerReason reason) {
    constexpr std::size_t kMostWords = 64;
    opened_for_ = reason;
    Error error = howdah::open_error(reason, pool_.last_dial_error() ? pool_.last_dial_error() : monitor_error_);
    const auto same = std::find_if(open_errors_.begin(), open_errors_.end(), [&](const auto& known) {
        return known->message() == error.message() && known->detail() == error.detail() && known->hint() == error.hint() &&
               known->endpoint() == error.endpoint();
    });
    // Whoever reads the old one now reads it without the mutex: it stays, once for each wording.
    if (same == open_errors_.end() && open_errors_.size() < kMostWords) {
        open_errors_.push_back(std::make_unique<const Error>(std::move(error)));
        open_error_.store(open_errors_.back().get(), std::memory_order_release);
    } else {
        open_error_.store(same == open_errors_.end() ? open_errors_.front().get() : same->get(), std::memory_order_release);
    }
}

void Endpoint::note(const BreakerTransition& transition, Moment now, After& after) {
    if (!transition) return;
    if (transition.to == BreakerState::open || transition.to == BreakerState::forced_open) word_opening(transition.reason);
    publish();
    if (after.changes < after.transitions.size()) after.transitions[after.changes++] = transition;
    if (transition.to == BreakerState::open || transition.to == BreakerState::forced_open) refuse_waiting(now, after);
}

void Endpoint::publish() noexcept { rejects_until_.store(breaker_.rejects_until().time_since_epoch().count(), std::memory_order_relaxed); }

void Endpoint::settle(After& after) {
    if (after.keeper && wake_keeper_) wake_keeper_();
    // The first come was put in last.
    Waiting* in_order = nullptr;
    while (after.resumed != nullptr) {
        Waiting* const next = after.resumed->next;
        after.resumed->next = std::exchange(in_order, after.resumed);
        after.resumed = next;
    }
    while (in_order != nullptr) std::exchange(in_order, in_order->next)->resume();
    for (std::size_t i = 0; i < after.changes; ++i) {
        const BreakerTransition& change = after.transitions[i];
        if (log_wanted()) log_change(change);
        call(observer_.on_breaker, change);
    }
}

}  // namespace howdah::inline v0
