#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "howdah/error.hpp"

namespace howdah::inline v0 {

/// Whether the whole body of a transaction may run again, in a fresh transaction. "May" becomes "does" by budget and deadline.
enum class Retry : std::uint8_t {
    never,
    contention,      ///< Yes, with jitter, from the budget of contention.
    lock_if_asked,   ///< Only when the caller asked for it: a lock was refused.
    key_if_asked,    ///< Only when the caller asked for it: a key was chosen after a read.
    reconnect,       ///< Yes, on another connection.
    slow,            ///< Yes, with the backoff of dialling: the server is short of something.
    reroute,         ///< Once, after asking anew who is primary.
    reprepare,       ///< Once, with the statement prepared anew; outside a block only.
    resolve_commit,  ///< Not before it is known whether it committed. What can write nothing may run again at once.
};

inline constexpr std::size_t kRetryKinds = 9;

/// What the breaker of the endpoint hears of a call.
enum class Vote : std::uint8_t {
    none,          ///< Nothing: the failure says nothing about the server's health.
    success,       ///< An answer in good time. No row of the table has it.
    failure,       ///< The server failed.
    dial_failure,  ///< No session was to be had. The only vote that trips the breaker of a sole primary.
    termination,   ///< Counts as failure once several arrive in one window: one ended session is an administrator's business.
    overload,      ///< The server is short of slots or memory; counts as failure.
    slow,          ///< The answer took too long.
};

/// What becomes of the connection.
enum class Fate : std::uint8_t {
    keep,         ///< It can serve the next borrower.
    drain,        ///< Its place stays taken until it was read to the end and proven clean.
    drop,         ///< Closed. Also said where there was none yet.
    drop_epoch,   ///< Closed, with all that were dialled before now: the server changed its role.
    clear_entry,  ///< Kept; the prepared statement is forgotten.
};

constexpr std::string_view name(Retry retry) {
    constexpr std::array<std::string_view, kRetryKinds> kNames{"never", "contention", "lock_if_asked", "key_if_asked",  "reconnect",
                                                               "slow",  "reroute",    "reprepare",     "resolve_commit"};
    return kNames[static_cast<std::size_t>(retry)];
}

constexpr std::string_view name(Vote vote) {
    constexpr std::array<std::string_view, 7> kNames{"none", "success", "failure", "dial_failure", "termination", "overload", "slow"};
    return kNames[static_cast<std::size_t>(vote)];
}

constexpr std::string_view name(Fate fate) {
    constexpr std::array<std::string_view, 5> kNames{"keep", "drain", "drop", "drop_epoch", "clear_entry"};
    return kNames[static_cast<std::size_t>(fate)];
}

struct Verdict {
    Retry retry = Retry::never;
    Vote vote = Vote::none;
    Fate fate = Fate::keep;
    bool alert = false;  ///< Somebody should be told at once.

    friend constexpr bool operator==(const Verdict&, const Verdict&) = default;
};

/// A set of values of a small enumeration.
template <typename E>
struct SetOf {
    std::uint16_t bits = 0;

    constexpr bool contains(E value) const noexcept { return (bits >> static_cast<unsigned>(value) & 1U) != 0; }
    friend constexpr SetOf operator|(SetOf a, SetOf b) noexcept { return {static_cast<std::uint16_t>(a.bits | b.bits)}; }
};

/// One row: what happened, recognised by all of its columns, and what follows.
struct ClassRow {
    std::string_view what;    ///< In words, for logs and documentation.
    std::string_view code;    ///< Five characters of a SQLSTATE, two for a class, "-" for failures without a code, empty for any.
    SetOf<Phase> phases;      ///< Of the failure.
    SetOf<Cause> causes;      ///< Of the failure.
    SetOf<Outcome> outcomes;  ///< Of the failure.
    Verdict verdict;

    constexpr bool matches(const Error& error) const noexcept {
        const bool code_fits =
            code.empty() || (code == "-" ? error.sqlstate().empty() : error.sqlstate().view().substr(0, code.size()) == code);
        return code_fits && phases.contains(error.phase()) && causes.contains(error.cause()) && outcomes.contains(error.outcome());
    }
};

/// The one table by which every failure of a call is judged; the first row that matches decides. It is data: the transaction runner,
/// the breaker and the pool hold no lists of codes of their own. Its last row matches everything.
std::span<const ClassRow> classification_table() noexcept;

/// The first row that matches. Give the error the outcome that is known (Error::with_outcome), for a broken link inside a block and one
/// after COMMIT left are judged differently. Does not allocate.
const ClassRow& classify(const Error& error) noexcept;

}  // namespace howdah::inline v0
