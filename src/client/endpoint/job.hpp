#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "client/endpoint/dialler.hpp"
#include "client/endpoint/endpoint.hpp"
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
    ConnectionId connection() const noexcept { return connection_; }

protected:
    Session& session() { return endpoint_.session(connection_); }
    Endpoint& endpoint_;
    const ConnectionId connection_;
};

/// Makes the place's session.
class DialJob final : public Job {
public:
    DialJob(Endpoint& endpoint, ConnectionId connection, const DialPlan& plan, Moment deadline);
    std::optional<Need> advance(Moment now) override;

private:
    SessionDial dial_;
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
    /// Puts an inquiry to the monitor; null when there is none or it is not well. What is to be terminated, it then notes for later.
    using Ask = std::function<std::shared_ptr<Inquiry>(Inquiry::About, const Identity&)>;
    DrainJob(Endpoint& endpoint, ConnectionId connection, const Ask& ask, Moment now);
    std::optional<Need> advance(Moment now) override;

private:
    void cancel(Moment now);
    bool cancel_settled() const;
    /// Whether it may still hit somebody, for nobody knows how far it came.
    bool cancel_astray() const;
    void begin_marker();

    const Ask ask_;
    Moment cancel_again_ = kNever;
    std::shared_ptr<Inquiry> cancel_;
    std::optional<Asked<bool>> plain_;  ///< libpq's own way, where there is no monitor to ask.
    bool marker_ = false;
    bool clean_marker_ = false;  ///< Sent after the cancel was settled.
};

/// Says goodbye and waits until the server has ended its side, so that it never sees more sessions than the pool may have. A backend that
/// stays, because nothing reaches it any more, is terminated through the monitor: it would hold locks and its place.
class GoodbyeJob final : public Job {
public:
    GoodbyeJob(Endpoint& endpoint, ConnectionId connection, const DrainJob::Ask& ask, Moment now);
    ~GoodbyeJob() override;
    std::optional<Need> advance(Moment now) override;

private:
    bool over(Moment now);
    bool ended() const;
    /// Whether the server says that its side has gone.
    bool gone(Moment now);

    DrainJob::Ask ask_;
    Identity backend_;
    int watched_ = -1;  ///< The session's socket, for the end of the stream; -1 where the link broke.
    const Moment begun_;
    Moment ask_again_;
    bool terminated_ = false;
    std::shared_ptr<Inquiry> asked_;
};

}  // namespace howdah::inline v0
