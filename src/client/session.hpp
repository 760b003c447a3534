#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client/dial.hpp"
#include "client/wait.hpp"
#include "client/watch.hpp"
#include "howdah/moment.hpp"
#include "howdah/result.hpp"

struct pg_cancel;
struct pg_result;

namespace howdah::inline v0 {

struct ClearResult {
    void operator()(pg_result* result) const noexcept;
};
/// libpq's answer to one statement, cleared with its owner.
using ResultHandle = std::unique_ptr<pg_result, ClearResult>;

/// Values for $1, $2, ... as libpq takes them: `count` entries in each array; `types`, `lengths` and `formats` may be null.
struct ParameterView {
    int count = 0;
    const unsigned* types = nullptr;
    const char* const* values = nullptr;
    const int* lengths = nullptr;
    const int* formats = nullptr;
};

/// One statement of a request. What it points to must live until start() has returned.
struct Step {
    enum class Kind : std::uint8_t {
        text,      ///< `sql` with `parameters`.
        prepare,   ///< `sql` under `name`.
        prepared,  ///< What was prepared under `name`, with `parameters`.
    };
    enum class Part : std::uint8_t {
        before,  ///< BEGIN, settings, preparing: the answer does not matter.
        body,    ///< The caller's statement: its answer is the request's.
        after,   ///< What is asked on the way: its answer is kept beside.
    };
    Kind kind = Kind::text;
    Part part = Part::body;
    const char* sql = nullptr;
    const char* name = nullptr;
    ParameterView parameters;
    std::uint32_t statement = 0;  ///< Of `prepare`: the number under which the session notes it.
};

/// What one request came to.
struct Reply {
    ResultHandle body;   ///< Of the last step of that part that was answered.
    ResultHandle after;  ///< Likewise.
};

/// What a session knows of its server and of itself there, asked once after login. Empty texts where the server did not tell.
struct Identity {
    int pid = 0;
    std::string backend_start;      ///< Of this server process; together with `pid` it names no other.
    std::string system_identifier;  ///< Of the cluster.
    std::string timeline;           ///< Of a primary, eight hexadecimal digits; empty on a standby.
};

/// A descriptor of a session's socket beside the session's own, by which another thread can end the link while the session is in use.
class LinkEnd {
public:
    /// Takes the descriptor over; -1 for none.
    explicit LinkEnd(int descriptor) noexcept : descriptor_(descriptor) {}
    ~LinkEnd();
    LinkEnd(const LinkEnd&) = delete;
    LinkEnd& operator=(const LinkEnd&) = delete;
    /// The session's user finds the link broken. No goodbye is said.
    void cut() const noexcept;

private:
    const int descriptor_;
};

/// One session of a pool. A request is one or several statements sent in one write; several go through libpq's pipeline, where the first
/// that fails ends the rest. The machine: start(), then advance() until it says none, then take(). Used by one thread at a time.
class Session {
public:
    /// The most a transaction's first statement takes along: BEGIN, time limit, six savepoints, the statement prepared anew (three) and
    /// the transaction's number (two).
    static constexpr std::size_t kMostSteps = 13;

    Session() = default;
    explicit Session(Handle handle);

    /// Sends at most kMostSteps steps. An error means that nothing is under way.
    Result<void> start(std::span<const Step> steps);
    /// The good path of start(), drive() and take() for one prepared statement whose answer comes whole. Null where it is not so: then the
    /// session is busy and drive() goes on, or nothing is under way and start() will tell why.
    ResultHandle answer_at_once(const char* name, const ParameterView& parameters, Moment deadline, Moment now);
    /// Waits for the first of the answer as cheaply as it can be done, once a request. False when there may be nothing to read yet: then
    /// poll(2) has to tell, and how late it is; also whether there is more than was read.
    bool await_answer(Moment deadline, Moment now) noexcept {
        return sent_ && !std::exchange(awaited_, true) && watch_.await_news(socket_, deadline, now);
    }
    /// Goes on without waiting. What to wait for before the next call; none when the answer can be taken.
    std::optional<Need> advance();
    /// The answer of the finished request, or the first failure in it. Allocates nothing when all went well.
    Result<Reply> take();
    /// The error of a request that is given up while it runs; the machine goes on, for whoever drains the session.
    Error given_up(Cause cause) const;

    /// The error of a request that is not begun because its time is over already.
    Error not_sent(Cause cause) const;

    bool connected() const noexcept { return handle_ != nullptr; }
    bool idle() const noexcept { return state_ == State::idle; }
    bool busy() const noexcept { return state_ == State::busy; }
    /// Whether the server was handed the whole request: it may run even if nobody waits.
    bool sent() const noexcept { return sent_; }
    enum class Life : std::uint8_t {
        gone,
        heard,   ///< The server said something unasked: a notification, a changed setting, or that it ends the session.
        silent,  ///< As it should be.
    };
    /// Looks, without waiting, for what has arrived meanwhile at an idle session.
    Life look();
    /// Whether a transaction block is open, failed ones included; true when nobody can tell.
    bool in_transaction() const;
    /// Whether the open block has failed.
    bool failed() const;
    /// Whether the next user may have the session as it is: connected, outside a block, nothing left behind.
    bool clean() const noexcept;
    /// Whether the server takes writes, as it says with its answers (14 and later; false where it does not say).
    bool writable() const;
    /// Whether settings, cursors or the like were left behind that the next user must not find; as the command tags tell.
    bool dirty() const noexcept { return dirty_; }
    void mark(bool dirty) noexcept { dirty_ = dirty; }
    /// Whether what runs must not be cancelled: a COMMIT, which a cancel would end in doubt.
    bool keep_running() const noexcept { return keep_running_; }
    void set_keep_running(bool keep) noexcept { keep_running_ = keep; }

    enum class Prepared : std::uint8_t { no, yes, otherwise };
    /// Whether the statement with that number was prepared here for parameters of these types; `otherwise`: for others.
    Prepared prepared(std::uint32_t statement, const ParameterView& parameters) const noexcept;
    /// Whether the user prepared statements of his own with PREPARE.
    bool prepared_by_hand() const noexcept { return prepared_by_hand_; }
    /// The server does not know any of them any more.
    void forget_all_prepared() noexcept {
        prepared_.clear();
        prepared_by_hand_ = false;
    }
    /// The server does not know it any more.
    void forget_prepared(std::uint32_t statement) noexcept;
    /// The server knows it by a plan that is of no use any more: it is forgotten there before it is prepared again.
    void outdate_prepared(std::uint32_t statement) noexcept;
    /// Which step the failure that take() gave came from; the number of steps when the link failed.
    std::size_t failed_step() const noexcept { return failed_step_; }

    const Identity& identity() const noexcept { return identity_; }
    void identify(Identity identity) { identity_ = std::move(identity); }
    const std::string& endpoint() const noexcept { return endpoint_; }
    /// libpq's key for cancelling from elsewhere, which outlives the session; null when there is none.
    std::shared_ptr<pg_cancel> cancel_key() const;
    pg_conn* native_handle() noexcept { return handle_.get(); }
    /// A descriptor of the same socket, which sees the server's end of it even after close(); -1 when there is none.
    int watch_end() const;
    /// Says goodbye without waiting and closes.
    void close() noexcept;
    /// In the child of a fork: closes without a word to the server, whose session belongs to the parent.
    void disown() noexcept;

private:
    enum class State : std::uint8_t { idle, busy, done };

    bool send(const Step& step);
    void collect();
    bool next_answer(pg_result* result);
    void note(ResultHandle result);
    void note_failure(const pg_result* result);
    void note_prepared(std::uint32_t statement, std::uint32_t types);
    void broken();
    void finish();
    Error gone() const;

    Handle handle_;
    int socket_ = -1;
    State state_ = State::idle;
    bool pipelined_ = false;
    bool fresh_ = false;  ///< Nothing can have come yet.
    bool sent_ = false;
    bool awaited_ = false;  ///< The first of the answer was.
    bool dirty_ = false;
    bool prepared_by_hand_ = false;
    bool keep_running_ = false;
    std::uint8_t steps_ = 0;
    std::uint8_t current_ = 0;
    std::uint8_t failed_step_ = 0;
    Watch watch_;
    std::vector<std::uint32_t> prepared_;  ///< A digest of the types, 0 when it is not prepared.
    struct Sent {
        Step::Part part;
        std::uint32_t statement;
        std::uint32_t types;
    };
    std::optional<Error> error_;
    std::array<Sent, kMostSteps> sent_steps_{};
    Reply answer_;
    std::string endpoint_;
    Identity identity_;
};

/// Drives the session's request on the caller's thread until its answer can be taken; `ready`, or why it cannot. `now`: the present
/// moment.
Wake drive(Session& session, Waiter& waiter, Moment deadline, Moment now);

}  // namespace howdah::inline v0
