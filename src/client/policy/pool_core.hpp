#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "client/policy/backoff.hpp"
#include "client/policy/index_list.hpp"
#include "client/policy/random.hpp"
#include "howdah/classify.hpp"
#include "howdah/pool.hpp"

namespace howdah::inline v0 {

/// A connection's place in a pool, 0 to max_connections - 1, by which the owner finds its socket, and the number of its use: a new one
/// for each dial and each lease, so that a handle given back is worth nothing.
struct ConnectionId {
    std::uint32_t place = kNowhere;
    std::uint32_t use = 0;
    friend constexpr bool operator==(ConnectionId, ConnectionId) = default;
};

/// Likewise a waiter's, 0 to max_waiters + max_connections - 1; spent when the waiter was served or refused.
struct WaiterId {
    std::uint32_t place = kNowhere;
    std::uint32_t use = 0;
    friend constexpr bool operator==(WaiterId, WaiterId) = default;
};

/// How to make sure that an idle connection still lives, before use.
enum class Check : std::uint8_t { none, poll, ping };

/// Why there was no connection, with what the message needs.
struct Refusal {
    BorrowFailure failure = BorrowFailure::all_busy;
    std::string_view oldest_tag{};    ///< Of the lease held longest; empty when there is none.
    Duration oldest_held{};           ///< For how long.
    std::uint32_t busy = 0;           ///< Leases.
    std::uint32_t waiting = 0;        ///< Others in the queue.
    std::uint32_t dial_failures = 0;  ///< In a row.
};

/// The pool of one endpoint without its sockets: it is told of moments and events, keeps the places, the queue and their order, and says
/// through next_work() what to do. No clock, lock, thread or callback; no allocation after construction (but for the text of a failed
/// dial, which is shared with the caller's Error). Moments must not go back. One user at a time: its owner calls it under a mutex and
/// takes all work in the same critical section as the event that made it.
///
/// Idle connections are taken last in, first out; waiters are served first come, first served, and nobody passes them. A place counts
/// against the cap from the beginning of its dial until closed() or dial_failed(), drained and cancelled ones included.
class PoolCore {
public:
    /// One thing to do. Handles of `serve` and `refuse` waiters are spent with it.
    struct Work {
        enum class Kind : std::uint8_t {
            none,
            serve,   ///< `waiter` has the lease `connection`.
            refuse,  ///< `waiter` gets nothing: `refusal`.
            dial,    ///< Begin it; then dialled() or dial_failed().
            reset,   ///< Clean the session; then reset_done().
            drain,   ///< Read to the end and prove it clean; then drained().
            cancel,  ///< The lease is overdue at the pool's end: cancel its statement.
            close,   ///< Close it, whatever it was at; then closed(). No other report about it counts any more.
        };
        Kind kind = Kind::none;
        ConnectionId connection;
        WaiterId waiter;
        Refusal refusal;
    };
    struct Borrowed {
        enum class Kind : std::uint8_t { granted, queued, refused };
        Kind kind = Kind::refused;
        ConnectionId connection;    ///< When granted.
        Check check = Check::none;  ///< When granted. A connection found dead: lost(), then borrow_again().
        WaiterId waiter;            ///< When queued.
        Refusal refusal;            ///< When refused.
    };

    /// Options that passed check().
    PoolCore(const PoolOptions& options, std::uint64_t seed);
    PoolCore(const PoolCore&) = delete;
    PoolCore& operator=(const PoolCore&) = delete;

    /// The tag names the borrower in others' errors and must live as long as the lease; a literal is right.
    Borrowed borrow(Moment now, std::string_view tag, Moment deadline);
    /// The good path of borrow(): the connection used last, where nobody waits and it needs neither a look nor its end. Else nothing, and
    /// nothing done.
    std::optional<ConnectionId> take_idle(Moment now, std::string_view tag) noexcept {
        if (idle_.empty() || !waiting_.empty() || closing_ != Closing::no) return std::nullopt;
        const std::uint32_t place = idle_.last();
        Connection& connection = connections_[place];
        if (now >= connection.expires || now - connection.since >= unlooked_) return std::nullopt;
        idle_.remove(place);
        --counts_.idle;
        return lend(place, connection, now, tag);
    }
    /// For a borrower whose connection was found dead: first in the queue, whose bound does not hold for him.
    Borrowed borrow_again(Moment now, std::string_view tag, Moment deadline);
    /// A waiter gave up. The reason he would have been given; none when he was served or refused already, which he must then take.
    std::optional<Refusal> stop_waiting(Moment now, WaiterId waiter);

    /// The lease ends. False, counted as misuse and without effect when it had ended before. `dirty`: the session's settings were
    /// changed, so it is reset before anybody else gets it.
    bool give_back(Moment now, ConnectionId connection, Fate fate, bool dirty);
    /// The good path of give_back() with Fate::keep of a clean connection: true when it is idle again; else false, and nothing done.
    bool put_back(Moment now, ConnectionId id) noexcept {
        if (id.place >= connections_.size() || !waiting_.empty() || closing_ != Closing::no) return false;
        Connection& connection = connections_[id.place];
        if (connection.use != id.use || connection.state != State::busy) return false;
        if (connection.epoch != epoch_ || now >= connection.expires) return false;
        --counts_.busy;
        connection.state = State::idle;
        connection.since = now;
        connection.until = kNever;
        connection.tag = {};
        connection.dirty = false;
        idle_.push_back(id.place);
        ++counts_.idle;
        return true;
    }
    /// The same of a lease that was not used: nobody has seen the connection alive meanwhile.
    void return_unused(Moment now, ConnectionId connection);
    /// The leased connection was found dead and is closed already. False as above.
    bool lost(Moment now, ConnectionId connection);

    /// Reports about work. False, and without effect, when the connection was taken out of that state meanwhile (Work::Kind::close).
    bool dialled(Moment now, ConnectionId connection);
    /// `left`: a login may have left a session on the server; the place is taken until closed(), which nobody is asked for.
    bool dial_failed(Moment now, ConnectionId connection, const Error& error, bool left = false);
    bool reset_done(Moment now, ConnectionId connection, bool clean);
    bool drained(Moment now, ConnectionId connection, bool clean);
    bool closed(ConnectionId connection);

    /// Somebody else has got through to the server after a time in which nobody could: the next dial need not wait.
    void server_is_back() noexcept {
        next_dial_ = Moment::min();
        dial_backoff_.reset();
    }
    /// The server changed its role: idle connections are closed, and all others of before when they come back.
    void new_epoch();
    /// Waiters' deadlines, lifetimes, idle times, and the bounds of dialling, resetting, draining and closing.
    void tick(Moment now);
    /// When tick() or next_work() next has something to do by the passing of time. Looks at every place: for a timer, not for each call.
    Moment next_change() const;
    /// Whether next_work() has anything; the cheap question after each event.
    bool has_work(Moment now) const noexcept { return !told_.empty() || !todo_.empty() || dial_wanted(now); }
    /// Whether a dial is wanted that only its backoff holds up: next_change() says for how long.
    bool dial_put_off(Moment now) const noexcept { return dial_wanted(kNever) && !dial_wanted(now); }
    /// What to do now, one thing at a time until Kind::none.
    Work next_work(Moment now);

    /// Refuses waiters and borrowers, closes what is idle, waits for leases until the deadline, then has them cancelled, then dropped.
    void close(Moment now, Moment deadline);
    /// Whether nothing is open any more after close().
    bool finished() const noexcept { return closing_ != Closing::no && vacant_.size() == connections_.size(); }
    const CloseReport& report() const noexcept { return report_; }

    const PoolCounts& counts() const noexcept { return counts_; }
    /// The last dial's failure, while none has come through since.
    const std::optional<Error>& last_dial_error() const noexcept { return last_dial_error_; }
    /// What a borrower would be told now.
    Refusal refusal(Moment now, BorrowFailure failure) const;

private:
    enum class State : std::uint8_t { vacant, dialling, idle, busy, resetting, draining, closing };
    struct Connection {
        Links list;  ///< Vacant or idle ones.
        Links todo;
        std::uint32_t use = 0;
        std::uint32_t epoch = 0;
        State state = State::vacant;
        bool dirty = false;
        bool to_do = false;     ///< In the list of what next_work() tells.
        Moment since{};         ///< When it came into this state.
        Moment unused_since{};  ///< The same of the state before a lease.
        Moment until{};         ///< The bound of this state; for idle ones unused.
        Moment expires{};       ///< End of its lifetime.
        std::string_view tag;
    };
    struct Waiter {
        Links list;  ///< Vacant, waiting or told ones.
        std::uint32_t use = 0;
        enum class State : std::uint8_t { vacant, waiting, served, refused } state = State::vacant;
        Moment deadline{};
        std::string_view tag;
        ConnectionId connection;
        Refusal refusal;
    };
    enum class Closing : std::uint8_t { no, awaiting, cancelling, dropped };

    Borrowed refused(Moment now, BorrowFailure failure) const;
    Borrowed enqueue(Moment now, std::string_view tag, Moment deadline, bool first);
    ConnectionId lease(Moment now, std::uint32_t place, std::string_view tag);
    /// The rest of a lease, once the connection has left its state.
    ConnectionId lend(std::uint32_t place, Connection& connection, Moment now, std::string_view tag) noexcept {
        connection.unused_since = connection.since;
        connection.state = State::busy;
        connection.since = now;
        connection.until = kNever;
        connection.tag = tag;
        ++counts_.busy;
        return {place, ++connection.use};
    }
    void leave(std::uint32_t place) noexcept;
    void make_available(Moment now, std::uint32_t place);
    void enter(std::uint32_t place, State state, Moment now, Moment until);
    void begin_closing(std::uint32_t place);
    void vacate(std::uint32_t place);
    void tell(std::uint32_t place);
    void untell(std::uint32_t place);
    void refuse(Moment now, std::uint32_t waiter);
    void vacate_waiter(std::uint32_t waiter);
    /// The lease held longest; null when there is none. Looks at every place: where calls go well nobody asks.
    const Connection* oldest_lease() const noexcept;
    BorrowFailure likely_failure() const noexcept;
    bool dial_wanted(Moment now) const noexcept {
        if (vacant_.empty() || closing_ != Closing::no) return false;
        const std::uint32_t missing = options_.min_idle > counts_.idle ? options_.min_idle - counts_.idle : 0;
        return counts_.waiting + missing > counts_.dialling && counts_.dialling < dials_allowed_ && now >= next_dial_;
    }
    void dial_went_wrong(Moment now, Moment begun);
    Work begin_dial(Moment now);
    Work tell_waiter();
    Work tell_connection();
    void tick_closing(Moment now);
    void note_returned();
    bool holds(ConnectionId connection, State state) noexcept;
    std::uint32_t& count_of(State state) noexcept;
    ConnectionId id(std::uint32_t place) const noexcept { return {place, connections_[place].use}; }

    // What each call touches comes first, side by side.
    std::vector<Connection> connections_;
    std::vector<Waiter> waiters_;
    IndexList<Connection, &Connection::list> vacant_, idle_;  ///< Idle ones: the oldest first.
    IndexList<Connection, &Connection::todo> todo_;
    IndexList<Waiter, &Waiter::list> waiting_, told_, vacant_waiters_;
    const Duration unlooked_;  ///< For so long an idle connection is taken for alive.
    std::uint32_t epoch_ = 0;
    Closing closing_ = Closing::no;
    PoolCounts counts_;
    std::uint32_t dials_allowed_;
    Moment next_dial_ = Moment::min();

    const PoolOptions options_;
    Random random_;
    std::uint32_t none_ = 0;  ///< The count of a state that has none.
    Backoff dial_backoff_;
    std::uint32_t dial_failures_ = 0;
    Moment dial_failed_at_ = Moment::min();
    std::optional<Error> last_dial_error_;
    Moment close_until_ = kNever;
    CloseReport report_;
};

}  // namespace howdah::inline v0
