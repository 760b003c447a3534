#include "client/policy/pool_core.hpp"

#include <algorithm>

namespace howdah::inline v0 {

PoolCore::PoolCore(const PoolOptions& options, std::uint64_t seed)
    : connections_(options.max_connections),
      // A borrower whose connection was dead may wait beyond the queue's bound; there are at most as many as connections.
      waiters_(std::size_t{options.max_waiters} + options.max_connections),
      vacant_(connections_),
      idle_(connections_),
      todo_(connections_),
      waiting_(waiters_),
      told_(waiters_),
      vacant_waiters_(waiters_),
      unlooked_(std::min(options.poll_after, options.ping_after)),
      dials_allowed_(options.dials_at_once),
      options_(options),
      random_(seed),
      dial_backoff_(options.dial_backoff) {
    for (std::uint32_t place = 0; place < connections_.size(); ++place) vacant_.push_back(place);
    for (std::uint32_t place = 0; place < waiters_.size(); ++place) vacant_waiters_.push_back(place);
}

PoolCore::Borrowed PoolCore::borrow(Moment now, std::string_view tag, Moment deadline) {
    if (const auto idle = take_idle(now, tag)) return {Borrowed::Kind::granted, *idle, Check::none, {}, {}};
    if (closing_ != Closing::no) return refused(now, BorrowFailure::closing);
    while (waiting_.empty() && !idle_.empty()) {
        const std::uint32_t place = idle_.last();
        if (now >= connections_[place].expires) {
            begin_closing(place);
            continue;
        }
        const Duration idle_for = now - connections_[place].since;
        const Check check = idle_for >= options_.ping_after ? Check::ping : idle_for >= options_.poll_after ? Check::poll : Check::none;
        return {Borrowed::Kind::granted, lease(now, place, tag), check, {}, {}};
    }
    if (waiting_.size() >= options_.max_waiters) return refused(now, BorrowFailure::queue_full);
    return enqueue(now, tag, deadline, false);
}

PoolCore::Borrowed PoolCore::refused(Moment now, BorrowFailure failure) const {
    Borrowed borrowed;
    borrowed.refusal = refusal(now, failure);
    return borrowed;
}

PoolCore::Borrowed PoolCore::borrow_again(Moment now, std::string_view tag, Moment deadline) {
    const bool at_once = closing_ != Closing::no || (waiting_.empty() && !idle_.empty());
    if (at_once) {
        Borrowed borrowed = borrow(now, tag, deadline);
        if (borrowed.kind != Borrowed::Kind::refused || borrowed.refusal.failure != BorrowFailure::queue_full) return borrowed;
    }
    return enqueue(now, tag, deadline, true);
}

PoolCore::Borrowed PoolCore::enqueue(Moment now, std::string_view tag, Moment deadline, bool first) {
    if (vacant_waiters_.empty()) return refused(now, BorrowFailure::queue_full);
    const std::uint32_t place = vacant_waiters_.pop_front();
    Waiter& waiter = waiters_[place];
    ++waiter.use;
    waiter.state = Waiter::State::waiting;
    waiter.deadline = deadline;
    waiter.tag = tag;
    if (first) {
        waiting_.push_front(place);
    } else {
        waiting_.push_back(place);
    }
    counts_.waiting = waiting_.size();
    Borrowed borrowed;
    borrowed.kind = Borrowed::Kind::queued;
    borrowed.waiter = {place, waiter.use};
    return borrowed;
}

std::optional<Refusal> PoolCore::stop_waiting(Moment now, WaiterId id) {
    if (id.place >= waiters_.size() || waiters_[id.place].use != id.use) return std::nullopt;
    if (waiters_[id.place].state != Waiter::State::waiting) return std::nullopt;
    refuse(now, id.place);
    const Refusal told = waiters_[id.place].refusal;
    vacate_waiter(id.place);
    return told;
}

ConnectionId PoolCore::lease(Moment now, std::uint32_t place, std::string_view tag) {
    leave(place);
    return lend(place, connections_[place], now, tag);
}

bool PoolCore::give_back(Moment now, ConnectionId id, Fate fate, bool dirty) {
    if (fate == Fate::keep && !dirty && put_back(now, id)) return true;
    if (!holds(id, State::busy)) return false;
    note_returned();
    Connection& connection = connections_[id.place];
    connection.dirty = dirty;
    connection.tag = {};
    if (fate == Fate::drop_epoch) new_epoch();
    const bool worth_keeping = closing_ == Closing::no && connection.epoch == epoch_ && fate != Fate::drop && now < connection.expires;
    if (!worth_keeping) {
        begin_closing(id.place);
    } else if (fate == Fate::drain) {
        enter(id.place, State::draining, now, after(now, options_.drain_time));
        tell(id.place);
    } else if (dirty) {
        enter(id.place, State::resetting, now, after(now, options_.reset_time));
        tell(id.place);
    } else {
        make_available(now, id.place);
    }
    return true;
}

void PoolCore::return_unused(Moment now, ConnectionId id) {
    if (!give_back(now, id, Fate::keep, false)) return;
    Connection& connection = connections_[id.place];
    if (connection.state == State::idle) connection.since = connection.unused_since;
}

bool PoolCore::lost(Moment, ConnectionId id) {
    if (!holds(id, State::busy)) return false;
    note_returned();
    vacate(id.place);
    return true;
}

bool PoolCore::dialled(Moment now, ConnectionId id) {
    if (!holds(id, State::dialling)) return false;
    dial_failures_ = 0;
    dial_backoff_.reset();
    next_dial_ = Moment::min();
    // Each that comes through makes room for one more: 1, 2, 4, ... as they go out in rounds.
    dials_allowed_ = std::min(dials_allowed_ + 1, options_.dials_at_once);
    last_dial_error_.reset();
    const auto lifetime = static_cast<double>(options_.lifetime.count());
    const Duration shortest(static_cast<Duration::rep>(lifetime * (1 - options_.lifetime_jitter)));
    const Duration longest(static_cast<Duration::rep>(lifetime * (1 + options_.lifetime_jitter)));
    connections_[id.place].expires = after(now, random_.between(shortest, longest));
    make_available(now, id.place);
    return true;
}

bool PoolCore::dial_failed(Moment now, ConnectionId id, const Error& error, bool left) {
    if (!holds(id, State::dialling)) return false;
    last_dial_error_ = error;
    dial_went_wrong(now, connections_[id.place].since);
    if (left) {
        enter(id.place, State::closing, now, kNever);
    } else {
        vacate(id.place);
    }
    return true;
}

void PoolCore::dial_went_wrong(Moment now, Moment begun) {
    ++dial_failures_;
    dials_allowed_ = 1;
    // Dials that were under way together failed together: one step of backoff.
    if (begun >= dial_failed_at_) next_dial_ = after(now, dial_backoff_.next(random_));
    dial_failed_at_ = now;
}

bool PoolCore::reset_done(Moment now, ConnectionId id, bool clean) {
    if (!holds(id, State::resetting)) return false;
    connections_[id.place].dirty = !clean;
    make_available(now, id.place);
    return true;
}

bool PoolCore::drained(Moment now, ConnectionId id, bool clean) {
    if (!holds(id, State::draining)) return false;
    if (clean && connections_[id.place].dirty) {
        enter(id.place, State::resetting, now, after(now, options_.reset_time));
        tell(id.place);
        return true;
    }
    connections_[id.place].dirty = !clean;
    make_available(now, id.place);
    return true;
}

bool PoolCore::closed(ConnectionId id) {
    if (!holds(id, State::closing)) return false;
    vacate(id.place);
    return true;
}

void PoolCore::make_available(Moment now, std::uint32_t place) {
    Connection& connection = connections_[place];
    untell(place);
    if (closing_ != Closing::no || connection.dirty || connection.epoch != epoch_ || now >= connection.expires) {
        begin_closing(place);
    } else if (waiting_.empty()) {
        enter(place, State::idle, now, kNever);
    } else {
        const std::uint32_t next = waiting_.pop_front();
        counts_.waiting = waiting_.size();
        Waiter& waiter = waiters_[next];
        waiter.connection = lease(now, place, waiter.tag);
        waiter.state = Waiter::State::served;
        told_.push_back(next);
    }
}

void PoolCore::new_epoch() {
    ++epoch_;
    while (!idle_.empty()) begin_closing(idle_.first());
}

Refusal PoolCore::refusal(Moment now, BorrowFailure failure) const {
    Refusal refusal{failure, {}, {}, counts_.busy, counts_.waiting, dial_failures_};
    if (const Connection* const oldest = oldest_lease()) {
        refusal.oldest_tag = oldest->tag;
        refusal.oldest_held = now - oldest->since;
    }
    return refusal;
}

const PoolCore::Connection* PoolCore::oldest_lease() const noexcept {
    const Connection* oldest = nullptr;
    for (const Connection& connection : connections_) {
        if (connection.state == State::busy && (oldest == nullptr || connection.since < oldest->since)) oldest = &connection;
    }
    return oldest;
}

BorrowFailure PoolCore::likely_failure() const noexcept {
    if (closing_ != Closing::no) return BorrowFailure::closing;
    const bool dial_awaited = counts_.dialling > 0 || (dial_failures_ > 0 && !vacant_.empty());
    return dial_awaited ? BorrowFailure::dialling : BorrowFailure::all_busy;
}

bool PoolCore::holds(ConnectionId id, State state) noexcept {
    const bool held = id.place < connections_.size() && connections_[id.place].use == id.use && connections_[id.place].state == state;
    counts_.misused += held ? 0 : 1;
    return held;
}

std::uint32_t& PoolCore::count_of(State state) noexcept {
    switch (state) {
        case State::dialling: return counts_.dialling;
        case State::idle: return counts_.idle;
        case State::busy: return counts_.busy;
        case State::resetting: return counts_.resetting;
        case State::draining: return counts_.draining;
        case State::closing: return counts_.closing;
        case State::vacant: return none_;
    }
    return none_;
}

void PoolCore::leave(std::uint32_t place) noexcept {
    const State state = connections_[place].state;
    if (state == State::vacant) vacant_.remove(place);
    if (state == State::idle) idle_.remove(place);
    --count_of(state);
}

void PoolCore::enter(std::uint32_t place, State state, Moment now, Moment until) {
    leave(place);
    Connection& connection = connections_[place];
    connection.state = state;
    connection.since = now;
    connection.until = until;
    if (state == State::vacant) vacant_.push_back(place);
    if (state == State::idle) idle_.push_back(place);
    ++count_of(state);
}

void PoolCore::begin_closing(std::uint32_t place) {
    enter(place, State::closing, connections_[place].since, kNever);
    tell(place);
}

void PoolCore::vacate(std::uint32_t place) {
    untell(place);
    enter(place, State::vacant, connections_[place].since, kNever);
    connections_[place].tag = {};
}

void PoolCore::tell(std::uint32_t place) {
    if (connections_[place].to_do) return;
    connections_[place].to_do = true;
    todo_.push_back(place);
}

void PoolCore::untell(std::uint32_t place) {
    if (!connections_[place].to_do) return;
    connections_[place].to_do = false;
    todo_.remove(place);
}

void PoolCore::refuse(Moment now, std::uint32_t place) {
    waiting_.remove(place);
    counts_.waiting = waiting_.size();
    waiters_[place].state = Waiter::State::refused;
    waiters_[place].refusal = refusal(now, likely_failure());
    told_.push_back(place);
}

void PoolCore::vacate_waiter(std::uint32_t place) {
    told_.remove(place);
    waiters_[place].state = Waiter::State::vacant;
    waiters_[place].tag = {};
    ++waiters_[place].use;
    vacant_waiters_.push_back(place);
}

}  // namespace howdah::inline v0
