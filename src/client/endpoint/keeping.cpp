#include <algorithm>
#include <utility>

#include "client/endpoint/endpoint.hpp"

// The keeper's side of an endpoint, its figures and its end.
namespace howdah::inline v0 {

void Endpoint::tick(Moment now, std::vector<PoolCore::Work>& work) {
    work.clear();
    After after;
    {
        const std::scoped_lock lock(mutex_);
        now = told(now);
        pool_.tick(now);
        if (!monitor_up_) breaker_.still_down(now);
        if (const std::uint32_t calls = rejected_outside_.exchange(0, std::memory_order_relaxed); calls > 0)
            note(breaker_.rejected_outside(now, calls), now, after);
        note(breaker_.tick(now), now, after);
        publish();
        pump(now, after);
        std::swap(work, inbox_);
        if (pool_.finished()) finished_.notify_all();
    }
    after.keeper = false;
    settle(after);
    if (log_wanted()) tell_due_lines(now);
}

Moment Endpoint::next_change() {
    const std::scoped_lock lock(mutex_);
    return std::min(pool_.next_change(), breaker_.next_change());
}

void Endpoint::report(Moment now, Report what, ConnectionId connection, bool clean, const Error* error) {
    bool failed_before = false;
    act(now, [&](After& after) {
        failed_before = dial_failing_;
        switch (what) {
            case Report::dialled:
                pool_.dialled(now, connection);
                ++session_counts_.dials;
                dial_failing_ = false;
                note(breaker_.vote(now, Vote::success), now, after);
                break;
            case Report::dial_failed:
                pool_.dial_failed(now, connection, *error, !clean);
                ++session_counts_.dials_failed;
                dial_failing_ = true;
                note(breaker_.vote(now, classify(*error).verdict.vote), now, after);
                // Nobody else dials while the breaker is open: what the last one met may have changed.
                if (breaker_.rejects_until() > now) word_opening(opened_for_);
                break;
            case Report::reset_done:
                pool_.reset_done(now, connection, clean);
                ++(clean ? session_counts_.resets : session_counts_.resets_failed);
                break;
            case Report::drained:
                pool_.drained(now, connection, clean);
                ++(clean ? session_counts_.drained : session_counts_.drains_failed);
                break;
            case Report::closed: pool_.closed(connection); break;
        }
    });
    if (!log_wanted()) return;
    if (what == Report::dial_failed) {
        const std::string where = error->endpoint().empty() ? "" : error->endpoint() + ": ";
        log(now, LogKind::dial, Severity::warning, "dialling failed: " + where + error->message());
    }
    if (what == Report::dialled && failed_before) log(now, LogKind::dial, Severity::info, "dialling works again");
    if (what == Report::drained && !clean)
        log(now, LogKind::drain, Severity::warning, "a session given up in the middle could not be read to its end: it is closed");
}

void Endpoint::monitored(Moment now, bool up, const Error* why) {
    act(now, [&](After& after) {
        if (up && !std::exchange(monitor_up_, up)) {
            note(breaker_.server_is_back(now), now, after);
            pool_.server_is_back();
        }
        monitor_up_ = up;
        if (up) {
            monitor_error_.reset();
        } else if (why != nullptr) {
            monitor_error_ = *why;
        }
        note(breaker_.monitored(now, up), now, after);
        publish();
    });
}

Backend Endpoint::backend(ConnectionId connection) {
    const std::scoped_lock lock(mutex_);
    return places_[connection.place].backend;
}

bool Endpoint::cut_off(ConnectionId connection) {
    const std::scoped_lock lock(mutex_);
    const Place& place = places_[connection.place];
    if (place.leased && place.backend.link) place.backend.link->cut();
    return place.leased;
}

void Endpoint::note_backend(ConnectionId connection, Backend backend) {
    const std::scoped_lock lock(mutex_);
    places_[connection.place].backend = std::move(backend);
}

bool Endpoint::spend(Moment now, bool contention, RetryBudget::After reason) {
    if (forked()) return false;
    const std::scoped_lock lock(mutex_);
    settle_budgets();
    return (contention ? contention_budget_ : failure_budget_).spend(told(now), reason);
}

void Endpoint::told_retry(const RetryEvent& event) { call(observer_.on_retry, event); }
void Endpoint::told_span(const Span& span) { call(observer_.on_span, span); }

void Endpoint::told_alert(const Alert& alert) {
    {
        const std::scoped_lock lock(mutex_);
        for (AlertFigures& known : alerts_) {
            if (known.rule != alert.rule || known.severity != alert.severity) continue;
            known.active = alert.raised;
            known.raised += alert.raised ? 1 : 0;
        }
    }
    call(observer_.on_alert, alert);
}

void Endpoint::expect_alerts(std::span<const AlertRule> rules) {
    const std::scoped_lock lock(mutex_);
    for (const AlertRule& rule : rules) {
        const auto same = [&](const AlertFigures& known) { return known.rule == rule.name && known.severity == rule.severity; };
        if (std::none_of(alerts_.begin(), alerts_.end(), same)) alerts_.push_back({rule.name, rule.severity, 0, false});
    }
}

void Endpoint::set_breaker_mode(Moment now, BreakerMode mode) {
    if (forked()) return;
    act(now, [&](After& after) {
        note(breaker_.set_mode(now, mode), now, after);
        publish();
    });
}

void Endpoint::reset_breaker(Moment now) {
    if (forked()) return;
    act(now, [&](After& after) {
        note(breaker_.reset(now), now, after);
        publish();
    });
}

ClientFigures Endpoint::figures(Moment now) {
    if (forked()) return {};
    const std::scoped_lock lock(mutex_);
    now = told(now);
    ClientFigures figures;
    figures.pool = pool_.counts();
    figures.pool_limit = pool_limit_;
    figures.breaker_state = breaker_.state();
    figures.breaker = breaker_.counts();
    figures.breaker.rejected += rejected_outside_.load(std::memory_order_relaxed);
    settle_budgets();
    figures.failure_budget_left = failure_budget_.left(now);
    figures.contention_budget_left = contention_budget_.left(now);
    figures.retries_refused = failure_budget_.refused() + contention_budget_.refused();
    figures.bulkhead_rejected = bulkhead_.rejected();
    figures.bulkhead_inside = bulkhead_.inside();
    figures.not_served = not_served_;
    figures.dials = session_counts_.dials;
    figures.dials_failed = session_counts_.dials_failed;
    figures.sessions_lost = session_counts_.lost;
    figures.drained = session_counts_.drained;
    figures.drains_failed = session_counts_.drains_failed;
    figures.resets = session_counts_.resets;
    figures.resets_failed = session_counts_.resets_failed;
    figures.callback_failures = callback_failures_.load(std::memory_order_relaxed);
    const Refusal refused_now = pool_.refusal(now, BorrowFailure::all_busy);
    figures.oldest_lease_tag = refused_now.oldest_tag;
    figures.oldest_lease_seconds = std::chrono::duration<double>(refused_now.oldest_held).count();
    figures.wait = wait_;
    figures.call = call_;
    figures.alerts = alerts_;
    return figures;
}

Glance Endpoint::glance(Moment now) {
    const std::scoped_lock lock(mutex_);
    now = told(now);
    const Duration oldest_lease = pool_.refusal(now, BorrowFailure::all_busy).oldest_held;
    return {pool_.counts(), pool_limit_, wait_.count, wait_.sum_ns, oldest_lease, breaker_.state()};
}

void Endpoint::close(Moment now, Moment deadline) {
    closing_.store(true, std::memory_order_relaxed);
    act(now, [&](After& after) {
        pool_.close(now, deadline);
        after.keeper = true;
    });
}

bool Endpoint::await_finished(Moment until) {
    std::unique_lock lock(mutex_);
    const auto finished = [this] { return pool_.finished(); };
    if (until == kNever) {
        finished_.wait(lock, finished);
        return true;
    }
    return finished_.wait_until(lock, until, finished);
}

CloseReport Endpoint::close_report() {
    const std::scoped_lock lock(mutex_);
    return pool_.report();
}

void Endpoint::disown() {
    for (Place& place : places_) place.session.disown();
}

}  // namespace howdah::inline v0
