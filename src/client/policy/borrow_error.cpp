#include "client/policy/borrow_error.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace howdah::inline v0 {

namespace {

std::string seconds(Duration length) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g s", std::chrono::duration<double>(length).count());
    return text.data();
}

std::string holders(const Refusal& refusal) {
    std::string text = std::to_string(refusal.busy) + (refusal.busy == 1 ? " is in use" : " are in use");
    if (refusal.busy == 0) return text;
    text += ", the longest for " + seconds(refusal.oldest_held);
    if (!refusal.oldest_tag.empty()) text += " by " + std::string(refusal.oldest_tag);
    return text;
}

Error refused(Cause cause, std::string message, std::string hint) {
    return Error(Phase::borrow, cause, {std::move(message), {}, std::move(hint), {}});
}

const char* words(BreakerReason reason) {
    switch (reason) {
        case BreakerReason::failure_share: return "too large a share of the calls failed";
        case BreakerReason::slow_share: return "too large a share of the calls was slow";
        case BreakerReason::consecutive_failures: return "several calls failed one after the other";
        case BreakerReason::dial_failures: return "no session can be had";
        case BreakerReason::probe_failed: return "a call that was let through to see failed";
        case BreakerReason::probe_slow: return "a call that was let through to see was slow";
        case BreakerReason::probe_overdue: return "a call that was let through to see did not come back";
        case BreakerReason::mode_set: return "its mode is forced_open";
        default: return "the endpoint failed of late";
    }
}

}  // namespace

Error open_error(BreakerReason reason, const std::optional<Error>& dial_error) {
    const std::string message = std::string("no connection asked for: the circuit breaker is open, ") + words(reason);
    if (!dial_error || reason == BreakerReason::mode_set)
        return refused(Cause::refused, message, "look at the server, or set the breaker's mode");
    return Error(Phase::borrow, Cause::refused,
                 {message + "; seen last: " + dial_error->message(), dial_error->detail(), dial_error->hint(), dial_error->endpoint()});
}

Error borrow_error(const Refusal& refusal, const std::optional<Error>& dial_error) {
    switch (refusal.failure) {
        case BorrowFailure::all_busy:
            return refused(Cause::timed_out, "no connection in time, all are taken: " + holders(refusal),
                           "shorten what holds them, or raise the pool's max_connections");
        case BorrowFailure::dialling: {
            const std::string tries = refusal.dial_failures == 0   ? "has not come through yet"
                                      : refusal.dial_failures == 1 ? "failed once"
                                                                   : "failed " + std::to_string(refusal.dial_failures) + " times in a row";
            const std::string message = "no connection in time, dialling " + tries;
            if (!dial_error) return refused(Cause::timed_out, message, "is the server up and reachable? look at its log and its load");
            return Error(Phase::borrow, Cause::timed_out,
                         {message + ": " + dial_error->message(), dial_error->detail(), dial_error->hint(), dial_error->endpoint()},
                         dial_error->sqlstate());
        }
        case BorrowFailure::breaker_open: return open_error(BreakerReason::none, dial_error);
        case BorrowFailure::queue_full:
            return refused(Cause::refused,
                           "no room to wait for a connection: " + std::to_string(refusal.waiting) + " wait already, " + holders(refusal),
                           "send less, or raise the pool's max_connections or max_waiters");
        case BorrowFailure::closing: return refused(Cause::usage, "no connection: the pool is being closed", "borrow before close()");
        case BorrowFailure::forked:
            return refused(Cause::usage, "no connection: the process was forked from the one the pool belongs to",
                           "make a client of its own in the child");
    }
    return refused(Cause::usage, "no connection", {});
}

}  // namespace howdah::inline v0
