#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "howdah/alert.hpp"
#include "howdah/breaker.hpp"
#include "howdah/error.hpp"
#include "howdah/moment.hpp"

namespace howdah::inline v0 {

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

/// What a line of the log is about. Lines of one kind come at most once a second.
enum class LogKind : std::uint8_t {
    dial,       ///< Dialling fails, or works again.
    breaker,    ///< The breaker changed its state.
    commit,     ///< The answer to a COMMIT was lost, or what became of it was found out.
    session,    ///< A session of the pool broke.
    drain,      ///< A session given up in the middle could not be read to its end.
    mode_file,  ///< ClientOptions::breaker_mode_file was applied, or makes no sense.
    keeper,     ///< The client's own thread met something it did not expect.
};
inline constexpr std::size_t kLogKinds = 7;

constexpr std::string_view name(LogKind kind) {
    constexpr std::array<std::string_view, kLogKinds> kNames{"dial", "breaker", "commit", "session", "drain", "mode_file", "keeper"};
    return kNames[static_cast<std::size_t>(kind)];
}

/// Something worth a line in the service's log. Never holds a password or a parameter's value of the library's own making; the
/// server's own messages are passed on as they are.
struct LogLine {
    Severity severity = Severity::info;
    LogKind kind = LogKind::dial;
    std::string what;            ///< One line.
    std::uint64_t left_out = 0;  ///< Lines of this kind that were not told since the one before.
};

/// What a client tells its service. Called without any lock held, from the thread that caused it (a caller's or the keeper's), so
/// possibly from several at once; may call the client, but on the keeper's thread a call that would have to wait for a connection fails
/// at once and close() does not wait. Exceptions are swallowed and counted. Empty ones cost nothing.
struct Observer {
    std::function<void(std::string_view endpoint, const BreakerTransition&)> on_breaker;
    std::function<void(std::string_view endpoint, const Alert&)> on_alert;
    std::function<void(std::string_view endpoint, const RetryEvent&)> on_retry;
    std::function<void(std::string_view endpoint, const Span&)> on_span;
    std::function<void(std::string_view endpoint, const LogLine&)> on_log;
};

}  // namespace howdah::inline v0
