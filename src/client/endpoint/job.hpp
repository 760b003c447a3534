#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "client/endpoint/dialler.hpp"
#include "client/endpoint/endpoint.hpp"
#include "client/endpoint/farewell.hpp"
#include "client/endpoint/inquiry.hpp"

namespace howdah::inline v0 {

/// Cancels what runs by libpq's own, blocking means, on a thread that can be spared: a stopped server holds it for ever.
Asked<bool> plain_cancel(std::shared_ptr<pg_cancel> key);

/// Something under way at one place of the pool, which the keeper drives until it is over. Each reports its end to the endpoint itself.
class Job {
public:
    explicit Job(Endpoint& endpoint, ConnectionId connection) : endpoint_(endpoint), connection_(connection) {}
    virtual ~Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    /// Goes on without waiting. What to wait for; none when it is over.
    virtual std::optional<Need> advance(Moment now) = 0;
    /// The pool wants the place closed. True when the job sees to that itself; false when it is to be dropped.
    virtual bool end(Moment) { return false; }
    ConnectionId connection() const noexcept { return connection_; }

protected:
    Session& session() { return endpoint_.session(connection_); }
    Endpoint& endpoint_;
    const ConnectionId connection_;
};

/// Makes the place's session. A login that was given up may have left a backend, and the place is taken until that is gone.
class DialJob final : public Job {
public:
    DialJob(Endpoint& endpoint, ConnectionId connection, const DialPlan& plan, const AskMonitor& ask, Moment deadline);
    std::optional<Need> advance(Moment now) override;
    bool end(Moment now) override;

private:
    /// Whether there is anything to wait for.
    bool part(Moment now);
    std::optional<Need> go_on_parting(Moment now);

    const AskMonitor ask_;
    SessionDial dial_;
    bool parting_ = false;
    std::vector<std::unique_ptr<Farewell>> farewells_;
};

/// Ends an open block and takes back what the last user changed.
class ResetJob final : public Job {
public:
    ResetJob(Endpoint& endpoint, ConnectionId connection);
    std::optional<Need> advance(Moment now) override;

private:
    bool begun_ = false;
};

/// Has the statement cancelled that its caller gave up, reads to its end, and proves with a marker that no cancel is on its way any more.
class DrainJob final : public Job {
public:
    DrainJob(Endpoint& endpoint, ConnectionId connection, const AskMonitor& ask, Moment now);
    std::optional<Need> advance(Moment now) override;

private:
    void cancel(Moment now);
    bool cancel_settled() const;
    /// Whether it may still hit somebody, for nobody knows how far it came.
    bool cancel_astray() const;
    void begin_marker();
    /// Whether the server, asked twice, does nothing but wait for this side, which waits for it: something was lost on the way.
    bool deaf(Moment now);

    const AskMonitor ask_;
    Moment cancel_again_ = kNever;
    Moment look_again_;
    std::uint32_t seen_idle_ = 0;  ///< In a row.
    std::shared_ptr<Inquiry> idle_;
    std::shared_ptr<Inquiry> cancel_;
    std::optional<Asked<bool>> plain_;  ///< libpq's own way, where there is no monitor to ask.
    bool marker_ = false;
    bool clean_marker_ = false;  ///< Sent after the cancel was settled.
};

/// Says goodbye and waits until the server has ended its side, so that it never sees more sessions than the pool may have.
class GoodbyeJob final : public Job {
public:
    GoodbyeJob(Endpoint& endpoint, ConnectionId connection, const AskMonitor& ask, Moment now);
    std::optional<Need> advance(Moment now) override;

private:
    std::optional<Farewell> farewell_;
};

}  // namespace howdah::inline v0
