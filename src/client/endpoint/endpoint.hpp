#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "client/endpoint/lock.hpp"
#include "client/endpoint/waiting.hpp"
#include "client/fork.hpp"
#include "client/policy/breaker.hpp"
#include "client/policy/bulkhead.hpp"
#include "client/policy/log_gate.hpp"
#include "client/policy/pool_core.hpp"
#include "client/policy/retry_budget.hpp"
#include "client/session.hpp"
#include "howdah/figures.hpp"
#include "howdah/observer.hpp"

namespace howdah::inline v0 {

struct EndpointPolicies {
    PoolOptions pool;
    BreakerOptions breaker;
    RetryBudgetOptions failure_budget;
    RetryBudgetOptions contention_budget;
    std::uint32_t bulkhead = 0;  ///< Calls at once, waiting ones included; 0 for no limit.
};

/// How to reach the backend of a session that somebody else uses.
struct Backend {
    Identity identity;
    std::shared_ptr<pg_cancel> key;
    std::shared_ptr<const LinkEnd> link;
};

/// What becomes of sessions, counted since the beginning.
struct SessionCounts {
    std::uint64_t dials = 0;
    std::uint64_t dials_failed = 0;
    std::uint64_t lost = 0;
    std::uint64_t drained = 0;
    std::uint64_t drains_failed = 0;
    std::uint64_t resets = 0;
    std::uint64_t resets_failed = 0;
};

/// What the monitor's rules about the pool need, without the cost of all figures.
struct Glance {
    PoolCounts pool;
    std::uint32_t pool_limit = 0;
    std::uint64_t waits = 0;  ///< Calls that stood in the queue, since the beginning, and their time there.
    std::int64_t waited_ns = 0;
    Duration oldest_lease{};
    BreakerState breaker_state = BreakerState::closed;
};

/// One server in one role: its pool, breaker, budgets and bulkhead behind one mutex, and the sessions themselves. A session belongs to
/// whom the pool's state says: to the caller while leased, to the keeper in every other state. Thread-safe.
class Endpoint {
public:
    Endpoint(std::string name, const EndpointPolicies& policies, Observer observer, Moment now);
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    /// Breaker, bulkhead and a connection, waiting for one until the deadline. Rejected in a few loads while the breaker is open.
    Result<Grant> admit(Moment now, Moment deadline, std::string_view tag, const std::stop_token& stop);
    /// The good path of admit(): true where an idle connection can be had and nothing else is to be done; else false, and nothing done.
    bool admit_at_once(Moment now, Moment deadline, std::string_view tag, const std::stop_token& stop, Grant& grant);
    Session& session(const Grant& grant) noexcept { return places_[grant.connection.place].session; }
    /// The lease ends and the vote is cast; a first try earns its tenth of a retry. False, and nothing done, when it had ended before.
    bool give_back(Moment now, Grant& grant, Vote vote, Fate fate, bool first_try);
    /// The good path of give_back(), after a success at the first try with nothing left behind; does the same where it is not so.
    void give_back_well(Moment now, Grant& grant);
    /// Pays for a retry from one of the two budgets.
    bool spend(Moment now, bool contention, RetryBudget::After reason);
    void told_retry(const RetryEvent& event);
    void told_span(const Span& span);
    void told_alert(const Alert& alert);
    /// The rules of which told_alert() will speak.
    void expect_alerts(std::span<const AlertRule> rules);
    /// A line for the service's log, unless one of its kind was told within the last second: then it is counted, and the last such line
    /// is told when the second is over. Without the mutex held.
    void log(Moment now, LogKind kind, Severity severity, std::string what) noexcept;
    bool log_wanted() const noexcept { return static_cast<bool>(observer_.on_log); }
    bool spans_wanted() const noexcept { return spans_wanted_; }

    void set_breaker_mode(Moment now, BreakerMode mode);
    void reset_breaker(Moment now);
    /// What it knows of the client's figures; those of the keeper, the monitor, the tries and the commits are left at nought.
    ClientFigures figures(Moment now);
    Glance glance(Moment now);
    const std::string& name() const noexcept { return name_; }
    bool forked() const noexcept { return fork_count() != forks_; }

    /// Refuses new calls; the keeper does the rest until finished().
    void close(Moment now, Moment deadline);
    bool closing() const noexcept { return closing_.load(std::memory_order_relaxed); }
    /// Waits, and whether nothing is open any more.
    bool await_finished(Moment until);
    CloseReport close_report();

    // The keeper's side.

    /// Woken when there is work in the inbox; before the first call.
    void set_keeper(std::function<void()> wake) { wake_keeper_ = std::move(wake); }
    /// This thread is the keeper's from now on.
    void keep_here() noexcept { keeper_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
    /// Whether this thread is, in a callback: what it waits for only itself could bring about.
    bool kept_here() const noexcept { return keeper_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
    /// Lets time do its work and gives the keeper's part of what is to be done. The vector is cleared first.
    void tick(Moment now, std::vector<PoolCore::Work>& work);
    Moment next_change();
    Session& session(ConnectionId connection) noexcept { return places_[connection.place].session; }
    enum class Report { dialled, dial_failed, reset_done, drained, closed };
    void report(Moment now, Report what, ConnectionId connection, bool clean, const Error* error = nullptr);
    /// Who the leased session's backend is, for one who has to cancel it. Set before the session is handed out.
    Backend backend(ConnectionId connection);
    void note_backend(ConnectionId connection, Backend backend);
    /// Whether a caller still uses the session of a place that the pool wants closed. Then the link is cut, which tells him, and the
    /// session stays until the client ends: it cannot be taken from under him.
    bool cut_off(ConnectionId connection);
    /// What the monitor saw of the server; when it is down, with the reason.
    void monitored(Moment now, bool up, const Error* why = nullptr);
    /// In the child of a fork: closes the sessions without a word.
    void disown();

private:
    struct Place {
        bool leased = false;  ///< Behind the mutex: a caller uses the session, even if the pool has given the lease up.
        Session session;
        Backend backend;  ///< Behind the mutex; the session itself is its user's.
    };
    /// What is done once the mutex is free.
    struct After {
        Waiting* resumed = nullptr;
        bool keeper = false;
        std::array<BreakerTransition, 4> transitions{};
        std::size_t changes = 0;
    };

    enum class Entry : std::uint8_t { granted, queued, refused, rejected, full };
    struct Entered {
        Entry entry = Entry::refused;
        Check check = Check::none;
        WaiterId waiter;
        Refusal refusal;
    };
    Entered enter(Moment now, const PoolCore::Borrowed& borrowed, std::optional<Parked>& parked, Grant& grant, After& after);
    Entry admit_leased(Moment now, ConnectionId connection, Grant& grant, After& after);
    Entered await(Parked& parked, WaiterId waiter, Moment deadline, const std::stop_token& stop, Grant& grant);
    bool alive(const Grant& grant, Check check, Moment deadline);
    /// Counts a lease that has ended.
    void returned(Moment now, const Grant& grant, bool first_try) noexcept {
        call_.add(now - grant.begun);
        bulkhead_.leave();
        first_tries_ += first_try ? 1 : 0;
    }
    /// Gives the budgets what the first tries since the last time have earned; before anybody looks at them.
    void settle_budgets() noexcept;
    /// The vote of a success that was returned already, and what came of it.
    void rest(Moment now, Grant& grant);
    Error stopped_error() const;
    Error keeper_would_wait();
    Error refused(const Entered& entered, bool stopped);
    void leave_bulkhead();
    Moment told(Moment now) noexcept {
        last_ = now > last_ ? now : last_;
        return last_;
    }
    /// One step of the endpoint: `change(after)` with the mutex held and `now` never earlier than in the step before, and then, with the
    /// mutex free again, what follows from it.
    template <typename Change>
    void act(Moment& now, const Change& change) {
        After after;
        {
            const std::scoped_lock lock(mutex_);
            now = told(now);
            change(after);
            pump(now, after);
            if (pool_.finished()) finished_.notify_all();
        }
        settle(after);
    }
    void pump(Moment now, After& after);
    void refuse_waiting(Moment now, After& after);
    void answer(Waiting& waiting, const PoolCore::Work& work, Moment now, After& after) noexcept;
    void note(const BreakerTransition& transition, Moment now, After& after);
    void publish() noexcept;
    const Error& open_error() const noexcept { return *open_error_.load(std::memory_order_acquire); }
    /// Makes up what callers are told while the breaker is open.
    void word_opening(BreakerReason reason);
    void settle(After& after);
    void log_change(const BreakerTransition& change) noexcept;
    void tell_due_lines(Moment now) noexcept;
    template <typename Callback, typename Argument>
    void call(const Callback& callback, const Argument& argument) noexcept {
        if (!callback) return;
        try {
            callback(name_, argument);
        } catch (...) {
            callback_failures_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    // What each call touches comes first, side by side, down to call_: it pays for each line of cache.
    const std::uint32_t forks_;
    Lock mutex_;
    std::atomic<Moment::rep> rejects_until_{0};
    const bool spans_wanted_;
    Moment last_;
    Bulkhead bulkhead_;
    std::int64_t first_tries_ = 0;  ///< Not yet earned from, see settle_budgets().
    std::vector<Place> places_;
    PoolCore pool_;
    Breaker breaker_;
    Histogram call_;

    const std::string name_;
    const std::uint32_t pool_limit_;
    const Observer observer_;
    std::function<void()> wake_keeper_;

    std::atomic<std::thread::id> keeper_;
    std::atomic<const Error*> open_error_{nullptr};  ///< Why; shared by all rejections, so that none allocates.
    std::atomic<std::uint32_t> rejected_outside_{0};
    std::atomic<bool> closing_{false};
    std::atomic<std::uint64_t> callback_failures_{0};
    std::mutex log_mutex_;
    LogGate log_gate_;
    RetryBudget failure_budget_;
    RetryBudget contention_budget_;
    std::condition_variable_any finished_;
    std::vector<Waiting*> waiting_;  ///< By the waiter's place.
    std::vector<WaiterId> waiting_ids_;
    std::vector<PoolCore::Work> inbox_;
    Histogram wait_;
    SessionCounts session_counts_;
    bool dial_failing_ = false;  ///< The last dial of the pool was.
    bool monitor_up_ = true;     ///< What the monitor saw last.
    std::optional<Error> monitor_error_;
    BreakerReason opened_for_ = BreakerReason::none;
    std::vector<std::unique_ptr<const Error>> open_errors_;
    std::array<std::uint64_t, kBorrowFailures> not_served_{};
    std::vector<AlertFigures> alerts_;
};

}  // namespace howdah::inline v0
