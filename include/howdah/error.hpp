#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace howdah::inline v0 {

/// How far a call had come when it failed. Everything before `send` reached no statement; a failure of cause `broken`, `timed_out` or
/// `cancelled` in `receive` leaves open whether the server did the work.
enum class Phase : std::uint8_t {
    configure,     ///< The connection string, a service file or an option.
    borrow,        ///< Waiting for a connection of the pool, or for leave to use one.
    resolve,       ///< Name look-up.
    connect,       ///< Reaching the server, TLS included.
    authenticate,  ///< From the start-up packet to the first "ready".
    send,          ///< The statement was not wholly handed over.
    receive,       ///< The statement was handed over and its answer awaited.
    encode,        ///< A parameter cannot be sent; the statement was not begun.
    decode,        ///< The answer came; a value of it is not what was asked for.
};

enum class Cause : std::uint8_t {
    usage,      ///< The call itself was wrong; nothing was tried.
    refused,    ///< The server or the name server answered with an error.
    broken,     ///< The link or the reach of it: refused, unreachable, cut.
    timed_out,  ///< The deadline passed.
    cancelled,  ///< The caller's stop token was triggered.
};

constexpr std::string_view name(Phase phase) {
    constexpr std::array<std::string_view, 9> kNames{"configure", "borrow",  "resolve", "connect", "authenticate",
                                                     "send",      "receive", "encode",  "decode"};
    return kNames[static_cast<std::size_t>(phase)];
}

constexpr std::string_view name(Cause cause) {
    constexpr std::array<std::string_view, 5> kNames{"usage", "refused", "broken", "timed_out", "cancelled"};
    return kNames[static_cast<std::size_t>(cause)];
}

/// What the server did with the attempt that failed.
enum class Outcome : std::uint8_t {
    not_sent,   ///< No statement of the attempt was wholly handed over, so none can have run.
    failed,     ///< The server said no or rolled back: nothing of the attempt lasts.
    succeeded,  ///< It is committed although the call failed: says a resolved commit, or an answer that came and was read wrongly.
    unknown,    ///< Nobody knows yet.
};

constexpr std::string_view name(Outcome outcome) {
    constexpr std::array<std::string_view, 4> kNames{"not_sent", "failed", "succeeded", "unknown"};
    return kNames[static_cast<std::size_t>(outcome)];
}

/// PostgreSQL's five-character error code; empty when the failure did not come from a server.
class SqlState {
public:
    constexpr SqlState() = default;
    /// Anything but five characters gives the empty code.
    constexpr explicit SqlState(std::string_view code) {
        if (code.size() == code_.size()) std::copy(code.begin(), code.end(), code_.begin());
    }
    constexpr bool empty() const noexcept { return code_[0] == '\0'; }
    constexpr std::string_view view() const noexcept { return empty() ? std::string_view() : std::string_view(code_.data(), code_.size()); }
    /// Whether the code belongs to the two-character class, such as "08".
    constexpr bool is_class(std::string_view prefix) const noexcept { return view().substr(0, 2) == prefix; }
    friend constexpr bool operator==(const SqlState& state, std::string_view code) noexcept { return state.view() == code; }

private:
    std::array<char, 5> code_{};
};

/// What a failure says about the work when nothing more is known than this: the careful answer for a request that could commit (COMMIT
/// itself, or a statement outside a block). A link that ends while the answer is awaited leaves it unknown, and so do the codes with
/// which a server ends a session or doubts itself, for they may overtake the end of a commit. Reading an answer wrongly does not undo
/// what the statement did.
constexpr Outcome careful_outcome(Phase phase, Cause cause, const SqlState& state) noexcept {
    if (phase == Phase::receive) {
        if (cause != Cause::refused) return Outcome::unknown;
        const bool session_over = state.is_class("08") || state == "57P01" || state == "57P02" || state == "40003";
        return session_over ? Outcome::unknown : Outcome::failed;
    }
    if (phase == Phase::decode) return Outcome::succeeded;
    return phase == Phase::send && cause == Cause::refused ? Outcome::failed : Outcome::not_sent;
}

/// The words of a failure, in the server's language where they are the server's. Never holds a password.
struct ErrorText {
    std::string message;   ///< One line: what was seen.
    std::string detail;    ///< The server's DETAIL, or empty.
    std::string hint;      ///< The server's HINT, or empty.
    std::string endpoint;  ///< Whom it concerned, "host db (10.0.0.7), port 5432"; empty when no endpoint was chosen yet.
};

/// A failed call, as a value. Copies share the text and are cheap; safe to read from several threads.
class Error {
public:
    Error(Phase phase, Cause cause, ErrorText text, SqlState sqlstate = {})
        : phase_(phase),
          cause_(cause),
          outcome_(careful_outcome(phase, cause, sqlstate)),
          sqlstate_(sqlstate),
          text_(std::make_shared<const ErrorText>(std::move(text))) {}

    /// The same failure by one who knows more: a statement of a block whose COMMIT was not sent has `failed` whatever broke, a resolved
    /// commit has `failed` or `succeeded`, and a refusal with which the link ended leaves a request that could commit `unknown`.
    Error with_outcome(Outcome outcome) const {
        Error other = *this;
        other.outcome_ = outcome;
        return other;
    }

    Phase phase() const noexcept { return phase_; }
    Cause cause() const noexcept { return cause_; }
    Outcome outcome() const noexcept { return outcome_; }
    const SqlState& sqlstate() const noexcept { return sqlstate_; }
    const std::string& message() const noexcept { return text_->message; }
    const std::string& detail() const noexcept { return text_->detail; }
    const std::string& hint() const noexcept { return text_->hint; }
    const std::string& endpoint() const noexcept { return text_->endpoint; }

private:
    Phase phase_;
    Cause cause_;
    Outcome outcome_;
    SqlState sqlstate_;
    std::shared_ptr<const ErrorText> text_;
};

}  // namespace howdah::inline v0
