#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "howdah/alert.hpp"
#include "howdah/breaker.hpp"
#include "howdah/error.hpp"
#include "howdah/moment.hpp"

namespace howdah {

/// A try that failed and is made again, or not.
struct RetryEvent {
    std::string_view reason;  ///< `what` of the row of classification_table() that judged the failure.
    const Error& error;
    unsigned tries = 1;    ///< Made so far.
    bool repeated = true;  ///< False when the budget, the deadline or the number of tries forbade what the table allows.
    Duration wait{};       ///< Before the next try.
};

/// One call from its first moment to its answer.
struct Span {
    std::string_view tag;
    Moment begun;
    Moment ended;
    unsigned tries = 1;
    const Error* error = nullptr;  ///< Null when the call went well.
};

/// What a client tells its service. Called without any lock held, from the thread that caused it (a caller's or the keeper's), so
/// possibly from several at once; may call the client, but on the keeper's thread a call that would have to wait for a connection fails
/// at once and close() does not wait. Exceptions are swallowed and counted. Empty ones cost nothing.
struct Observer {
    std::function<void(std::string_view endpoint, const BreakerTransition&)> on_breaker;
    std::function<void(std::string_view endpoint, const Alert&)> on_alert;
    std::function<void(std::string_view endpoint, const RetryEvent&)> on_retry;
    std::function<void(std::string_view endpoint, const Span&)> on_span;
};

}  // namespace howdah
