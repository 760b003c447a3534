#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/endpoint/dialler.hpp"
#include "client/endpoint/endpoint.hpp"
#include "client/endpoint/inquiry.hpp"
#include "client/policy/backoff.hpp"
#include "client/policy/random.hpp"
#include "client/policy/thresholds.hpp"
#include "howdah/monitor.hpp"

namespace howdah::inline v0 {

/// Figures of the monitor; readable from every thread.
struct MonitorFigures {
    std::atomic<std::uint64_t> incarnation{0};  ///< Number of its present session; 0 while it has none.
    std::atomic<std::uint64_t> pings{0};        ///< Answered in time.
    std::atomic<std::uint64_t> failures{0};     ///< Pings and dials that failed.
    std::atomic<std::int64_t> last_ping_ns{0};  ///< What the last answered one took.
};

/// The endpoint's own session beside the pool: pings, figures of the server for alerts, and inquiries about other sessions. A machine on
/// the keeper's thread. A server that does not answer costs it its session, never its thread.
class Monitor {
public:
    Monitor(Endpoint& endpoint, const DialPlan& plan, const MonitorOptions& options, Duration dial_time);

    /// Lets time and answers do their work. What to wait for, always with a moment to come back at.
    Need advance(Moment now);
    /// Whether inquiries are worth making: a session is there and the last ping came back in time.
    bool well() const noexcept { return well_; }
    /// Answered in turn; `lost` as soon as the session is.
    void ask(std::shared_ptr<Inquiry> inquiry);
    /// A session whose end nobody has seen: it is terminated with the monitor's next session.
    void note_left_behind(Target backend);
    /// Gives up: the session closes, whoever waits for an answer is told that it is lost.
    void close();
    void disown() { session_.disown(); }
    const MonitorFigures& figures() const noexcept { return figures_; }

private:
    enum class State : std::uint8_t { away, dialling, ready, asking };
    /// What rules are about, by their names.
    enum class Measure : std::uint8_t {
        ping_failed,
        ping_latency,
        pool_wait,
        pool_exhausted,
        idle_share,
        server_connections,
        server_connections_full,
        long_transaction,
        lease_held,
        breaker_open,
    };
    static constexpr std::array<std::string_view, 10> kMeasures{
        "ping_failed",      "ping_latency", "pool_wait",   "pool_exhausted", "idle_share", "server_connections", "server_connections_full",
        "long_transaction", "lease_held",   "breaker_open"};
    enum class Asking : std::uint8_t { ping, figures, inquiry };

    Need go_on(Moment now);
    void step(Moment now);
    void begin_dial(Moment now);
    void dialled(Moment now);
    void begin_next(Moment now);
    void begin(Moment now, Asking what, const Step& step);
    void begin_inquiry(Moment now);
    void begin_search(Moment now, const Trace& trace, bool terminate);
    /// Whether the session is one on the server that the inquiry is about.
    bool can_answer(const Inquiry& inquiry) const;
    void answered(Moment now);
    void answer_inquiry(const pg_result* result);
    void read_figures(Moment now, const pg_result* result);
    void lost(Moment now, const Error& why);
    void observe(Moment now, Measure measure, double value);
    void observe_pool(Moment now);
    void observe_nothing(Moment now);
    Moment next_moment() const;

    Endpoint& endpoint_;
    const DialPlan plan_;
    const MonitorOptions options_;
    const Duration dial_time_;
    Random random_;
    Backoff backoff_{BackoffOptions{std::chrono::milliseconds(100), std::chrono::seconds(1)}};
    Thresholds thresholds_;
    std::array<std::vector<std::size_t>, kMeasures.size()> rules_of_;  ///< By Measure.
    MonitorFigures figures_;

    State state_ = State::away;
    Asking asking_ = Asking::ping;
    bool well_ = false;
    Moment next_dial_ = Moment::min();
    Moment next_ping_ = Moment::min();
    Moment next_figures_ = Moment::min();
    Moment next_pool_ = Moment::min();
    Moment asked_at_{};
    std::uint64_t sessions_ = 0;
    std::uint32_t logins_given_up_ = 0;  ///< In a row.
    std::unique_ptr<SessionDial> dial_;
    Session session_;
    Trace own_;  ///< The session's link.
    std::vector<Target> left_behind_;
    std::deque<std::shared_ptr<Inquiry>> inquiries_;  ///< The first is being asked while `asking_` says so.
    std::uint64_t seen_waits_ = 0;
    std::int64_t seen_waited_ns_ = 0;
};

}  // namespace howdah::inline v0
