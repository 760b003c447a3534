#include "client/endpoint/monitor.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <random>
#include <utility>

namespace howdah::inline v0 {

namespace {

constexpr const char* kPing = "SELECT 1";
// Backends of clients against what they may be; the oldest transaction this role may see (all of them with pg_monitor).
constexpr const char* kFigures =
    "SELECT (SELECT sum(numbackends) FROM pg_stat_database)::float8 / current_setting('max_connections')::float8,"
    " (SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity"
    "  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())";
// The start time guards against a process number that was given out again.
constexpr const char* kCancel =
    "SELECT pg_cancel_backend($1::int) FROM pg_stat_get_activity($1::int) WHERE backend_start = $2::timestamptz";
constexpr const char* kTerminate =
    "SELECT pg_terminate_backend($1::int) FROM pg_stat_get_activity($1::int) WHERE backend_start = $2::timestamptz";
constexpr const char* kEndIdle =
    "SELECT pg_terminate_backend($1::int) FROM pg_stat_get_activity($1::int)"
    " WHERE backend_start = $2::timestamptz AND state LIKE 'idle%'";
constexpr const char* kIsIdle = "SELECT 1 FROM pg_stat_get_activity($1::int) WHERE backend_start = $2::timestamptz AND state LIKE 'idle%'";
constexpr const char* kIsGone = "SELECT 1 FROM pg_stat_get_activity($1::int) WHERE backend_start = $2::timestamptz";
// A backend of this role by what a login that was given up knows: when it began, and the number the server told, or else this end of the
// link. Numbers and ends count only where the monitor's own are the true ones too: a pooler makes up the first, a proxy and address
// translation the second.
constexpr const char* kSearch =
    "SELECT CASE WHEN $1::bool THEN pg_terminate_backend(pid) ELSE true END FROM pg_stat_get_activity(nullif($4::int, 0))"
    " WHERE usesysid = (SELECT oid FROM pg_roles WHERE rolname = session_user) AND pid <> pg_backend_pid()"
    " AND clock_timestamp() - backend_start BETWEEN $2::interval AND $3::interval"
    " AND CASE WHEN $4::int <> 0 THEN pg_backend_pid() = $5::int"
    " ELSE client_addr = $6::inet AND client_port = $7::int AND inet_client_addr() = $8::inet AND inet_client_port() = $9::int END";
constexpr const char* kStatus = "SELECT pg_xact_status($1::xid8)";

/// More than any pool leaves between two sessions of the monitor.
constexpr std::size_t kMostLeftBehind = 4096;

/// How far two clocks may drift apart while a dial lasts, corrections included.
constexpr Duration kClocksDiffer = std::chrono::milliseconds(20);

/// Each login that is given up may leave a session, which only a later one can end: after some in a row the next has to wait.
constexpr std::uint32_t kGivenUpOften = 3;
constexpr Duration kGivenUpPause = std::chrono::seconds(5);

double seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

}  // namespace

Monitor::Monitor(Endpoint& endpoint, const DialPlan& plan, const MonitorOptions& options, Duration dial_time)
    : endpoint_(endpoint),
      plan_(plan),
      options_(options),
      dial_time_(std::min(dial_time, std::max<Duration>(options.patience, std::chrono::seconds(1)))),
      random_(std::random_device{}()),
      thresholds_(options.rules) {
    const auto rules = thresholds_.rules();
    for (std::size_t measure = 0; measure < kMeasures.size(); ++measure) {
        for (std::size_t rule = 0; rule < rules.size(); ++rule) {
            if (rules[rule].name == kMeasures[measure]) rules_of_[measure].push_back(rule);
        }
    }
    endpoint_.expect_alerts(rules);
}

Need Monitor::advance(Moment now) {
    // Whatever the server does: these values are this side's own, and matter most when it does not answer.
    if (now >= next_pool_) observe_pool(now);
    Need need = go_on(now);
    need.until = std::min(need.until, next_pool_);
    return need;
}

Need Monitor::go_on(Moment now) {
    while (true) {
        if (state_ == State::dialling) {
            if (auto need = dial_->advance()) return *need;
            dialled(now);
        } else if (state_ == State::asking) {
            auto need = session_.advance();
            const Moment until = after(asked_at_, options_.patience);
            if (need && now < until) {
                need->until = until;
                return *need;
            }
            if (need) {
                lost(now, session_.given_up(Cause::timed_out));
            } else {
                answered(now);
            }
        } else {
            step(now);
            if (state_ == State::away || state_ == State::ready) return {-1, 0, next_moment()};
        }
    }
}

void Monitor::step(Moment now) {
    if (state_ == State::away) {
        if (now >= next_dial_) begin_dial(now);
    } else {
        begin_next(now);
    }
}

Moment Monitor::next_moment() const { return state_ == State::away ? next_dial_ : std::min(next_ping_, next_figures_); }

void Monitor::begin_dial(Moment now) {
    dial_ = std::make_unique<SessionDial>(plan_, after(now, dial_time_));
    state_ = State::dialling;
}

void Monitor::dialled(Moment now) {
    auto session = dial_->take();
    const std::vector<Remains> remains = dial_->take_remains();
    for (const Remains& left : remains) note_left_behind(left.trace());
    dial_.reset();
    if (!session) {
        lost(now, session.error());
        // A link that ended by itself, as with a server of the other role, left no session that stays.
        const bool given_up = !remains.empty() && session.error().cause() == Cause::timed_out;
        logins_given_up_ = given_up ? logins_given_up_ + 1 : 0;
        if (logins_given_up_ >= kGivenUpOften) next_dial_ = after(now, kGivenUpPause);
        return;
    }
    logins_given_up_ = 0;
    session_ = std::move(*session);
    own_ = trace_of(session_.native_handle());
    for (Target& backend : left_behind_) inquiries_.push_back(std::make_shared<Inquiry>(Inquiry::About::terminate, std::move(backend)));
    left_behind_.clear();
    backoff_.reset();
    state_ = State::ready;
    well_ = true;
    figures_.incarnation.store(++sessions_, std::memory_order_release);
    endpoint_.monitored(now, true);
    observe(now, Measure::ping_failed, 0);
    next_ping_ = now;
    next_figures_ = now;
}

void Monitor::begin_next(Moment now) {
    while (!inquiries_.empty() && !can_answer(*inquiries_.front())) {
        inquiries_.front()->give({Inquiry::Answer::lost, {}, {}, 0});
        inquiries_.pop_front();
    }
    if (!inquiries_.empty()) return begin_inquiry(now);
    if (now >= next_ping_) {
        observe_pool(now);
        next_ping_ = after(now, random_.between(options_.interval * 9 / 10, options_.interval * 11 / 10));
        return begin(now, Asking::ping, {Step::Kind::text, Step::Part::body, kPing, nullptr, {}});
    }
    if (now >= next_figures_) {
        next_figures_ = after(now, options_.figures_every);
        begin(now, Asking::figures, {Step::Kind::text, Step::Part::body, kFigures, nullptr, {}});
    }
}

void Monitor::begin(Moment now, Asking what, const Step& step) {
    asking_ = what;
    asked_at_ = now;
    state_ = State::asking;
    if (auto begun = session_.start({&step, 1}); !begun) lost(now, begun.error());
}

void Monitor::begin_inquiry(Moment now) {
    const Inquiry& inquiry = *inquiries_.front();
    Step step{Step::Kind::text, Step::Part::body, nullptr, nullptr, {}};
    if (inquiry.about() == Inquiry::About::transaction) {
        const char* const value = inquiry.transaction().c_str();
        step.sql = kStatus;
        step.parameters = {1, nullptr, &value, nullptr, nullptr};
        return begin(now, Asking::inquiry, step);
    }
    if (!inquiry.backend().named()) return begin_search(now, inquiry.backend().trace, inquiry.about() == Inquiry::About::terminate);
    const Identity& backend = inquiry.backend().identity;
    const std::string pid = std::to_string(backend.pid);
    const std::array<const char*, 2> values{pid.c_str(), backend.backend_start.c_str()};
    switch (inquiry.about()) {
        case Inquiry::About::cancel: step.sql = kCancel; break;
        case Inquiry::About::terminate: step.sql = kTerminate; break;
        case Inquiry::About::end_idle: step.sql = kEndIdle; break;
        case Inquiry::About::is_idle: step.sql = kIsIdle; break;
        default: step.sql = kIsGone; break;
    }
    step.parameters = {2, nullptr, values.data(), nullptr, nullptr};
    begin(now, Asking::inquiry, step);
}

bool Monitor::can_answer(const Inquiry& inquiry) const {
    if (inquiry.about() == Inquiry::About::transaction || inquiry.backend().named()) return true;
    const bool searches = inquiry.about() == Inquiry::About::terminate || inquiry.about() == Inquiry::About::is_gone;
    return searches && inquiry.backend().known() && inquiry.backend().trace.peer == own_.peer;
}

void Monitor::begin_search(Moment now, const Trace& trace, bool terminate) {
    const auto interval = [](Duration length) {
        return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(length).count()) + " microseconds";
    };
    // By this side's clock, for nobody knows the difference to the server's; the question itself takes time.
    const Moment asked = std::chrono::steady_clock::now();
    const Duration least = trace.pid != 0 ? std::max<Duration>(asked - trace.known - kClocksDiffer, Duration::zero()) : Duration::zero();
    const std::string youngest = interval(least);
    const std::string oldest = interval(asked - trace.begun + options_.patience);
    const std::string pid = std::to_string(trace.pid);
    const std::string own_pid = std::to_string(own_.pid);
    const std::string port = std::to_string(trace.port);
    const std::string own_port = std::to_string(own_.port);
    const auto address = [](const Trace& of) { return of.address.empty() ? nullptr : of.address.c_str(); };
    const std::array<const char*, 9> values{terminate ? "true" : "false",
                                            youngest.c_str(),
                                            oldest.c_str(),
                                            pid.c_str(),
                                            own_pid.c_str(),
                                            address(trace),
                                            port.c_str(),
                                            address(own_),
                                            own_port.c_str()};
    begin(now, Asking::inquiry, {Step::Kind::text, Step::Part::body, kSearch, nullptr, {9, nullptr, values.data(), nullptr, nullptr}});
}

void Monitor::answered(Moment now) {
    auto reply = session_.take();
    if (!session_.connected())
        return lost(now, reply ? Error(Phase::receive, Cause::broken, {"the link ended with the answer", {}, {}, session_.endpoint()})
                               : reply.error());
    state_ = State::ready;
    switch (asking_) {
        case Asking::inquiry: return answer_inquiry(reply ? reply->body.get() : nullptr);
        case Asking::figures:
            if (reply) read_figures(now, reply->body.get());
            return;
        case Asking::ping: break;
    }
    // "Yes, but" is an answer too: the server is up and says what it lacks.
    const Duration taken = std::chrono::steady_clock::now() - asked_at_;
    figures_.pings.fetch_add(1, std::memory_order_relaxed);
    figures_.last_ping_ns.store(taken.count(), std::memory_order_relaxed);
    well_ = true;
    endpoint_.monitored(now, true);
    observe(now, Measure::ping_failed, 0);
    observe(now, Measure::ping_latency, seconds(taken));
}

void Monitor::answer_inquiry(const pg_result* result) {
    const std::shared_ptr<Inquiry> inquiry = std::move(inquiries_.front());
    inquiries_.pop_front();
    Inquiry::Told told{Inquiry::Answer::lost, {}, session_.identity(), sessions_};
    if (result != nullptr) {
        const bool row = PQntuples(result) > 0;
        const bool yes = inquiry->about() == Inquiry::About::is_gone ? !row : row;
        told.answer = yes ? Inquiry::Answer::yes : Inquiry::Answer::no;
        if (row && PQnfields(result) > 0) told.status = PQgetvalue(result, 0, 0);
    }
    inquiry->give(std::move(told));
}

void Monitor::lost(Moment now, const Error& why) {
    // It may be lost to us alone: where nothing reaches it any more, it would stay.
    note_left_behind(session_.identity());
    session_ = Session();
    dial_.reset();
    state_ = State::away;
    well_ = false;
    figures_.incarnation.store(0, std::memory_order_release);
    figures_.failures.fetch_add(1, std::memory_order_relaxed);
    next_dial_ = after(now, backoff_.next(random_));
    while (!inquiries_.empty()) {
        if (inquiries_.front()->about() == Inquiry::About::terminate) note_left_behind(inquiries_.front()->backend());
        inquiries_.front()->give({Inquiry::Answer::lost, {}, {}, 0});
        inquiries_.pop_front();
    }
    endpoint_.monitored(now, false, &why);
    observe(now, Measure::ping_failed, 1);
    observe_nothing(now);
}

void Monitor::note_left_behind(Target backend) {
    if (backend.known() && left_behind_.size() < kMostLeftBehind) left_behind_.push_back(std::move(backend));
}

void Monitor::ask(std::shared_ptr<Inquiry> inquiry) {
    if (!well_) return inquiry->give({Inquiry::Answer::lost, {}, {}, 0});
    inquiries_.push_back(std::move(inquiry));
}

void Monitor::close() {
    dial_.reset();
    session_.close();
    state_ = State::away;
    well_ = false;
    next_dial_ = kNever;
    figures_.incarnation.store(0, std::memory_order_release);
    while (!inquiries_.empty()) {
        inquiries_.front()->give({Inquiry::Answer::lost, {}, {}, 0});
        inquiries_.pop_front();
    }
}

void Monitor::read_figures(Moment now, const pg_result* result) {
    if (PQntuples(result) != 1) return;
    observe(now, Measure::server_connections, std::atof(PQgetvalue(result, 0, 0)));
    observe(now, Measure::server_connections_full, std::atof(PQgetvalue(result, 0, 0)));
    observe(now, Measure::long_transaction, std::atof(PQgetvalue(result, 0, 1)));
}

void Monitor::observe_pool(Moment now) {
    // Later than the next ping, which brings its own look: a wake-up of its own it costs only while there are none.
    next_pool_ = after(now, options_.interval * 12 / 10);
    const Glance seen = endpoint_.glance(now);
    const double open = seen.pool.open();
    const std::uint64_t waits = seen.waits - std::exchange(seen_waits_, seen.waits);
    const auto waited = static_cast<double>(seen.waited_ns - std::exchange(seen_waited_ns_, seen.waited_ns)) * 1e-9;
    observe(now, Measure::pool_wait, waits > 0 ? waited / static_cast<double>(waits) : 0);
    // A dirty or cancelled session is nobody's to have either; who waits found none, whatever the reason.
    const double taken = seen.pool.busy + seen.pool.resetting + seen.pool.draining + seen.pool.closing;
    observe(now, Measure::pool_exhausted, seen.pool.waiting > 0 ? 1 : taken / seen.pool_limit);
    observe(now, Measure::idle_share, open > 0 ? seen.pool.idle / open : 0);
    observe(now, Measure::lease_held, seconds(seen.oldest_lease));
    const bool open_breaker = seen.breaker_state == BreakerState::open || seen.breaker_state == BreakerState::forced_open;
    observe(now, Measure::breaker_open, open_breaker ? 1 : 0);
}

void Monitor::observe_nothing(Moment now) {
    // What nobody measures neither raises an alert nor ends one.
    constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
    for (const Measure measure :
         {Measure::ping_latency, Measure::server_connections, Measure::server_connections_full, Measure::long_transaction})
        observe(now, measure, kNothing);
}

void Monitor::observe(Moment now, Measure measure, double value) {
    for (const std::size_t rule : rules_of_[static_cast<std::size_t>(measure)]) {
        if (const auto alert = thresholds_.observe(now, rule, value)) endpoint_.told_alert(*alert);
    }
}

}  // namespace howdah::inline v0
