#include <array>
#include <cstddef>

#include "howdah/metrics.hpp"

// Which figure is shown under which name.
namespace howdah::inline v0 {

namespace {

using enum MetricType;

/// Shows the values of one client that belong to one family.
class Shelf {
public:
    Shelf(const LabelledFigures& client, const MetricFamily& family, const MetricVisitor& visitor) : family_(family), visitor_(visitor) {
        labels_ = {{{"database", client.database}, {"endpoint", client.endpoint}, {"role", client.role}}};
    }

    template <typename Number>
    void put(Number value) const {
        visitor_(family_, {std::span(labels_).first(kOwn), static_cast<double>(value), nullptr});
    }
    void put(const Histogram& histogram) const { visitor_(family_, {std::span(labels_).first(kOwn), 0, &histogram}); }
    template <typename Number>
    void put(MetricLabel label, Number value) {
        labels_[kOwn] = label;
        visitor_(family_, {std::span(labels_).first(kOwn + 1), static_cast<double>(value), nullptr});
    }
    template <typename Number>
    void put(MetricLabel one, MetricLabel two, Number value) {
        labels_[kOwn] = one;
        labels_[kOwn + 1] = two;
        visitor_(family_, {labels_, static_cast<double>(value), nullptr});
    }

private:
    static constexpr std::size_t kOwn = 3;
    const MetricFamily& family_;
    const MetricVisitor& visitor_;
    std::array<MetricLabel, kOwn + 2> labels_;
};

using Figures = ClientFigures;

struct Entry {
    MetricFamily family;
    void (*show)(const Figures& figures, Shelf& shelf);
};

constexpr std::array kBreaker{
    Entry{{"db_circuit_breaker_state", gauge, "",
           "State of the circuit breaker: 0 closed, 1 open, 2 half-open, 3 disabled, 4 observe, 5 forced open, 6 forced closed."},
          [](const Figures& f, Shelf& shelf) { shelf.put(static_cast<unsigned>(f.breaker_state)); }},
    Entry{{"db_circuit_breaker_window_calls", gauge, "", "Calls in the breaker's window that voted."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.breaker.calls); }},
    Entry{{"db_circuit_breaker_window_failures", gauge, "", "Of these the ones that failed."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.breaker.failures); }},
    Entry{{"db_circuit_breaker_window_slow", gauge, "", "Of these the ones that were slow."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.breaker.slow); }},
    Entry{{"db_circuit_breaker_opened", counter, "", "Times the breaker opened."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.breaker.opened); }},
    Entry{{"db_circuit_breaker_rejected", counter, "", "Calls that the breaker rejected."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.breaker.rejected); }},
    Entry{{"db_circuit_breaker_would_have_rejected", counter, "", "Calls that passed in mode observe and would have been rejected."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.breaker.would_have_rejected); }},
};

constexpr std::array kPool{
    Entry{{"db_connection_pool_size", gauge, "", "Sessions of the pool: open, and of these idle and in use."},
          [](const Figures& f, Shelf& shelf) {
              shelf.put({"state", "open"}, f.pool.open());
              shelf.put({"state", "idle"}, f.pool.idle);
              shelf.put({"state", "inuse"}, f.pool.busy);
          }},
    Entry{{"db_connection_pool_places", gauge, "",
           "Places of the pool by what is done there; those that are not free sum to at most the limit."},
          [](const Figures& f, Shelf& shelf) {
              shelf.put({"state", "idle"}, f.pool.idle);
              shelf.put({"state", "inuse"}, f.pool.busy);
              shelf.put({"state", "dialling"}, f.pool.dialling);
              shelf.put({"state", "resetting"}, f.pool.resetting);
              shelf.put({"state", "draining"}, f.pool.draining);
              shelf.put({"state", "closing"}, f.pool.closing);
          }},
    Entry{{"db_connection_pool_limit", gauge, "", "Sessions that the pool may have."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.pool_limit); }},
    Entry{{"db_connection_pool_waiting", gauge, "", "Calls that wait for a connection."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.pool.waiting); }},
    Entry{{"db_connection_pool_wait_seconds", histogram, "seconds", "How long calls stood in the queue for a connection."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.wait); }},
    Entry{{"db_connection_pool_not_served", counter, "", "Calls that came out of the pool without a connection."},
          [](const Figures& f, Shelf& shelf) {
              for (std::size_t i = 0; i < kBorrowFailures; ++i) shelf.put({"reason", name(static_cast<BorrowFailure>(i))}, f.not_served[i]);
          }},
    Entry{{"db_connection_pool_misused", counter, "", "Uses of a lease that had ended."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.pool.misused); }},
    Entry{{"db_connection_dials", counter, "", "Dials of the pool by their end."},
          [](const Figures& f, Shelf& shelf) {
              shelf.put({"result", "ok"}, f.dials);
              shelf.put({"result", "failed"}, f.dials_failed);
          }},
    Entry{{"db_sessions_lost", counter, "", "Sessions of the pool whose link broke."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.sessions_lost); }},
    Entry{{"db_session_drains", counter, "", "Sessions given up in the middle and read to their end, or closed because that failed."},
          [](const Figures& f, Shelf& shelf) {
              shelf.put({"result", "ok"}, f.drained);
              shelf.put({"result", "failed"}, f.drains_failed);
          }},
    Entry{{"db_session_resets", counter, "", "Sessions cleaned for the next user: left dirty, or given up in the middle."},
          [](const Figures& f, Shelf& shelf) {
              shelf.put({"result", "ok"}, f.resets);
              shelf.put({"result", "failed"}, f.resets_failed);
          }},
};

constexpr std::array kCalls{
    Entry{{"db_call_seconds", histogram, "seconds", "From a connection's lease to its return."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.call); }},
    Entry{{"db_oldest_lease_seconds", gauge, "seconds", "For how long the oldest lease has been held; 0 when there is none."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.oldest_lease_seconds); }},
    Entry{{"db_bulkhead_inside", gauge, "", "Calls under way, waiting ones included."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.bulkhead_inside); }},
    Entry{{"db_bulkhead_rejected", counter, "", "Calls for which the bulkhead had no room."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.bulkhead_rejected); }},
    Entry{{"db_retries", counter, "", "Tries after the first, by what the failure before them allowed."},
          [](const Figures& f, Shelf& shelf) {
              // Two kinds are answers to whether, not reasons: a try of theirs is made as another kind.
              for (std::size_t i = 0; i < kRetryKinds; ++i) {
                  const auto kind = static_cast<Retry>(i);
                  if (kind != Retry::never && kind != Retry::resolve_commit) shelf.put({"reason", name(kind)}, f.retries[i]);
              }
          }},
    Entry{{"db_retries_refused", counter, "", "Retries that a budget forbade."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.retries_refused); }},
    Entry{{"db_retry_budget_left", gauge, "", "Retries that the budget would pay for now."},
          [](const Figures& f, Shelf& shelf) {
              shelf.put({"budget", "failure"}, static_cast<double>(f.failure_budget_left) / 1000);
              shelf.put({"budget", "contention"}, static_cast<double>(f.contention_budget_left) / 1000);
          }},
    Entry{{"db_commits_unknown", counter, "", "COMMITs whose answer was lost."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.unknown_commits); }},
    Entry{{"db_commits_resolved", counter, "", "Of these the ones whose end was found out."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.resolved_commits); }},
};

constexpr std::array kHealth{
    Entry{{"db_monitor_pings", counter, "", "Pings of the monitor, and dials of its session where they failed."},
          [](const Figures& f, Shelf& shelf) {
              if (!f.monitored) return;
              shelf.put({"result", "ok"}, f.pings);
              shelf.put({"result", "failed"}, f.ping_failures);
          }},
    Entry{{"db_monitor_ping_seconds", gauge, "seconds", "What the last answered ping took."},
          [](const Figures& f, Shelf& shelf) {
              if (f.monitored && f.pings > 0) shelf.put(f.last_ping_seconds);
          }},
    Entry{{"db_monitor_heartbeat_age_seconds", gauge, "seconds", "Since the client's own thread last came by; far above 1 it hangs."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.heartbeat_age_seconds); }},
    Entry{{"db_monitor_troubles", counter, "", "Things that the client's own thread did not expect, and survived."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.keeper_troubles); }},
    Entry{{"db_alert_active", gauge, "", "Whether the rule's alert stands."},
          [](const Figures& f, Shelf& shelf) {
              for (const AlertFigures& alert : f.alerts)
                  shelf.put({"rule", alert.rule}, {"severity", name(alert.severity)}, alert.active ? 1 : 0);
          }},
    Entry{{"db_alerts_raised", counter, "", "Times the rule's alert was raised."},
          [](const Figures& f, Shelf& shelf) {
              for (const AlertFigures& alert : f.alerts) shelf.put({"rule", alert.rule}, {"severity", name(alert.severity)}, alert.raised);
          }},
    Entry{{"db_callback_failures", counter, "", "Exceptions that the service's own callbacks threw."},
          [](const Figures& f, Shelf& shelf) { shelf.put(f.callback_failures); }},
};

void visit(std::span<const Entry> entries, std::span<const LabelledFigures> clients, const MetricVisitor& visitor) {
    for (const Entry& entry : entries) {
        for (const LabelledFigures& client : clients) {
            Shelf shelf(client, entry.family, visitor);
            entry.show(client.figures, shelf);
        }
    }
}

}  // namespace

void visit_metrics(std::span<const LabelledFigures> clients, const MetricVisitor& visitor) {
    visit(kBreaker, clients, visitor);
    visit(kPool, clients, visitor);
    visit(kCalls, clients, visitor);
    visit(kHealth, clients, visitor);
}

}  // namespace howdah::inline v0
