#include <algorithm>

#include "client/policy/pool_core.hpp"

// The part of PoolCore that says what to do: work, the passing of time, and the pool's end.
namespace howdah::inline v0 {

PoolCore::Work PoolCore::next_work(Moment now) {
    if (!told_.empty()) return tell_waiter();
    if (!todo_.empty()) return tell_connection();
    if (dial_wanted(now)) return begin_dial(now);
    return {};
}

PoolCore::Work PoolCore::tell_waiter() {
    const std::uint32_t place = told_.first();
    const Waiter& waiter = waiters_[place];
    Work work;
    work.waiter = {place, waiter.use};
    if (waiter.state == Waiter::State::served) {
        work.kind = Work::Kind::serve;
        work.connection = waiter.connection;
    } else {
        work.kind = Work::Kind::refuse;
        work.refusal = waiter.refusal;
    }
    vacate_waiter(place);
    return work;
}

PoolCore::Work PoolCore::tell_connection() {
    const std::uint32_t place = todo_.first();
    untell(place);
    Work work;
    work.connection = id(place);
    switch (connections_[place].state) {
        case State::resetting: work.kind = Work::Kind::reset; break;
        case State::draining: work.kind = Work::Kind::drain; break;
        case State::busy: work.kind = Work::Kind::cancel; break;
        default: work.kind = Work::Kind::close; break;
    }
    return work;
}

PoolCore::Work PoolCore::begin_dial(Moment now) {
    const std::uint32_t place = vacant_.first();
    enter(place, State::dialling, now, after(now, options_.dial_time));
    Connection& connection = connections_[place];
    ++connection.use;
    connection.epoch = epoch_;
    connection.dirty = false;
    Work work;
    work.kind = Work::Kind::dial;
    work.connection = id(place);
    return work;
}

void PoolCore::tick(Moment now) {
    for (std::uint32_t place = waiting_.first(); place != kNowhere;) {
        const std::uint32_t next = waiting_.next(place);
        if (now >= waiters_[place].deadline) refuse(now, place);
        place = next;
    }
    for (std::uint32_t place = 0; place < connections_.size(); ++place) {
        const Connection& connection = connections_[place];
        if (connection.state == State::idle) {
            const bool spare = counts_.idle > options_.min_idle && now - connection.since >= options_.idle_time;
            if (spare || now >= connection.expires) begin_closing(place);
        } else if (connection.state != State::vacant && now >= connection.until) {
            if (connection.state == State::dialling) dial_went_wrong(now, connection.since);
            begin_closing(place);
        }
    }
    if (closing_ != Closing::no) tick_closing(now);
}

Moment PoolCore::next_change() const {
    Moment next = closing_ == Closing::no || closing_ == Closing::dropped ? kNever : close_until_;
    for (std::uint32_t place = waiting_.first(); place != kNowhere; place = waiting_.next(place))
        next = std::min(next, waiters_[place].deadline);
    for (const Connection& connection : connections_) {
        if (connection.state == State::vacant) continue;
        next = std::min(next, connection.until);
        if (connection.state != State::idle) continue;
        next = std::min(next, connection.expires);
        if (counts_.idle > options_.min_idle) next = std::min(next, after(connection.since, options_.idle_time));
    }
    // A dial that only its backoff holds up.
    if (dial_wanted(kNever)) next = std::min(next, next_dial_);
    return next;
}

void PoolCore::close(Moment now, Moment deadline) {
    if (closing_ != Closing::no) {
        if (closing_ == Closing::awaiting) close_until_ = std::min(close_until_, deadline);
        return;
    }
    closing_ = Closing::awaiting;
    close_until_ = deadline;
    report_.waiters_refused = waiting_.size();
    while (!waiting_.empty()) refuse(now, waiting_.first());
    report_.idle_closed = counts_.idle;
    report_.dials_abandoned = counts_.dialling;
    for (std::uint32_t place = 0; place < connections_.size(); ++place) {
        const State state = connections_[place].state;
        if (state != State::vacant && state != State::busy && state != State::closing) begin_closing(place);
    }
    tick_closing(now);
}

void PoolCore::tick_closing(Moment now) {
    if (closing_ == Closing::awaiting && now >= close_until_) {
        closing_ = Closing::cancelling;
        close_until_ = after(now, options_.cancel_time);
        for (std::uint32_t place = 0; place < connections_.size(); ++place) {
            if (connections_[place].state == State::busy) tell(place);
        }
    }
    if (closing_ != Closing::cancelling || now < close_until_) return;
    closing_ = Closing::dropped;
    report_.dropped = counts_.busy;
    if (const Connection* const oldest = oldest_lease()) report_.oldest_dropped = oldest->tag;
    for (std::uint32_t place = 0; place < connections_.size(); ++place) {
        if (connections_[place].state == State::busy) begin_closing(place);
    }
}

void PoolCore::note_returned() {
    if (closing_ == Closing::awaiting) ++report_.returned;
    if (closing_ == Closing::cancelling) ++report_.returned_after_cancel;
}

}  // namespace howdah::inline v0
