#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "client/policy/pool_core.hpp"

namespace howdah::simulated {

inline constexpr std::uint32_t kCalls = 10;
inline constexpr std::uint32_t kPlaces = 4;

/// What the tests know of a pool's connections and queue without asking it, and what must hold between the two. A method that finds a
/// broken invariant returns its name, the others null.
class PoolModel {
public:
    enum class State : std::uint8_t { none, dialling, idle, leased, resetting, draining, closing };
    struct Place {
        State state = State::none;
        bool dirty = false;
        std::uint32_t epoch = 0;
        ConnectionId id;
        Moment until = kNever;
    };

    explicit PoolModel(const PoolOptions& options) : options_(options) {}

    std::array<Place, kPlaces> places;
    bool closing = false;
    bool endpoint_fails = false;  ///< The last dial failed.

    bool any(State state) const {
        for (const Place& place : places) {
            if (place.state == state) return true;
        }
        return false;
    }
    void new_epoch() {
        ++epoch_;
        // Those that lie idle will be told to close.
        for (Place& place : places) place.state = place.state == State::idle ? State::closing : place.state;
        stack_size_ = 0;
    }

    // The queue: calls by number, the next one first.
    std::uint32_t queue_size() const { return queue_size_; }
    void wait(std::uint8_t call, bool first) {
        if (first) std::memmove(&queue_[1], &queue_[0], queue_size_);
        queue_[first ? 0 : queue_size_] = call;
        ++queue_size_;
    }
    std::uint8_t next_in_line() const { return queue_[0]; }
    void leave_queue(std::uint8_t call) {
        for (std::uint32_t at = 0; at < queue_size_; ++at) {
            if (queue_[at] != call) continue;
            std::memmove(&queue_[at], &queue_[at + 1], queue_size_ - at - 1);
            --queue_size_;
            return;
        }
    }

    /// The pool gave this connection to somebody from its idle ones.
    const char* granted(ConnectionId id) {
        // What lay above it must have been too old and is to be closed.
        while (stack_size_ > 0 && stack_[stack_size_ - 1] != id.place) places[stack_[--stack_size_]].state = State::closing;
        if (stack_size_ == 0) return "a connection was granted that was not idle";
        --stack_size_;
        return leased(id);
    }
    /// The connection is somebody's now.
    const char* leased(ConnectionId id) {
        Place& place = places[id.place];
        if (place.dirty) return "a dirty session was handed out";
        if (place.epoch != epoch_) return "a connection of an old epoch was handed out";
        place.state = State::leased;
        place.id = id;
        place.until = kNever;
        return nullptr;
    }
    void idle(std::uint32_t at) {
        places[at].state = State::idle;
        places[at].until = kNever;
        stack_[stack_size_++] = static_cast<std::uint8_t>(at);
    }
    void to(ConnectionId id, State state, Moment until) {
        Place& place = places[id.place];
        place.state = state;
        place.id = id;
        place.until = until;
    }
    const char* dial_begun(ConnectionId id, Moment now) {
        if (places[id.place].state != State::none) return "a dial for a place that is taken";
        if (endpoint_fails && any(State::dialling)) return "a failing endpoint was dialled twice at once";
        if (closing) return "a dial after close()";
        places[id.place] = {State::dialling, false, epoch_, id, after(now, options_.dial_time)};
        return nullptr;
    }
    const char* close_told(ConnectionId id, bool lease_may_be_dropped) {
        Place& place = places[id.place];
        if (place.state == State::none) return "a close for a vacant place";
        if (place.state == State::leased && !lease_may_be_dropped) return "a lease was closed under its holder";
        if (place.state == State::idle) unstack(id.place);
        to(id, State::closing, kNever);
        return nullptr;
    }
    bool is_current(std::uint32_t place) const { return places[place].epoch == epoch_; }

    /// What must hold once all work was taken.
    const char* check(const PoolCore& pool, Moment now, bool ticked) const {
        const PoolCounts& counts = pool.counts();
        // A byte for each state, counted in one register: this runs after every event.
        std::uint64_t seen = 0;
        for (const Place& place : places) seen += std::uint64_t{1} << 8U * static_cast<unsigned>(place.state);
        const auto is = [&](State state, std::uint32_t told) { return (seen >> 8U * static_cast<unsigned>(state) & 0xffU) == told; };
        if (counts.occupied() > options_.max_connections) return "more connections than the cap";
        if (!is(State::leased, counts.busy)) return "leases lost or doubled";
        if (!is(State::idle, counts.idle)) return "idle connections lost or doubled";
        if (!is(State::dialling, counts.dialling)) return "dials lost or doubled";
        if (!is(State::resetting, counts.resetting)) return "resets lost or doubled";
        if (!is(State::draining, counts.draining)) return "a draining place was given away";
        if (!is(State::closing, counts.closing)) return "closing connections lost or doubled";
        if (counts.waiting != queue_size_) return "waiters lost or doubled";
        if (counts.waiting > 0 && counts.idle > 0) return "a waiter beside an idle connection";
        const bool room = counts.occupied() < options_.max_connections;
        if (counts.waiting > 0 && room && counts.dialling == 0 && !endpoint_fails) return "a waiter for whom nobody dials";
        if (!ticked) return nullptr;
        for (const Place& place : places) {
            if (place.state != State::none && place.until <= now) return "a connection's state was held past its bound";
        }
        if (counts.waiting > 0 && room && counts.dialling == 0 && pool.next_change() - now > options_.dial_backoff.cap)
            return "a waiter whose dial is put off for too long";
        return nullptr;
    }

private:
    void unstack(std::uint32_t at) {
        std::uint32_t kept = 0;
        for (std::uint32_t from = 0; from < stack_size_; ++from) {
            if (stack_[from] != at) stack_[kept++] = stack_[from];
        }
        stack_size_ = kept;
    }

    const PoolOptions& options_;
    std::uint32_t epoch_ = 0;
    std::array<std::uint8_t, kCalls + 2> queue_{};
    std::uint32_t queue_size_ = 0;
    std::array<std::uint8_t, kPlaces + 1> stack_{};  ///< Idle places, the last one in at the end.
    std::uint32_t stack_size_ = 0;
};

}  // namespace howdah::simulated
