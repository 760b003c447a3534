#include "howdah/classify.hpp"

namespace howdah::inline v0 {

namespace {

template <typename E>
constexpr SetOf<E> one(E value) {
    return {static_cast<std::uint16_t>(1U << static_cast<unsigned>(value))};
}

constexpr SetOf<Phase> kAnyPhase{0xffff};
constexpr SetOf<Phase> kDial = one(Phase::resolve) | one(Phase::connect) | one(Phase::authenticate);
constexpr SetOf<Phase> kLogin = one(Phase::authenticate);
constexpr SetOf<Phase> kCall = one(Phase::send) | one(Phase::receive);
constexpr SetOf<Phase> kSend = one(Phase::send);
constexpr SetOf<Phase> kReceive = one(Phase::receive);
constexpr SetOf<Phase> kBorrow = one(Phase::borrow);
constexpr SetOf<Phase> kValue = one(Phase::encode) | one(Phase::decode);

constexpr SetOf<Cause> kAnyCause{0xffff};
constexpr SetOf<Cause> kRefused = one(Cause::refused);
constexpr SetOf<Cause> kBroken = one(Cause::broken);
constexpr SetOf<Cause> kTimedOut = one(Cause::timed_out);
constexpr SetOf<Cause> kCancelled = one(Cause::cancelled);
constexpr SetOf<Cause> kUsage = one(Cause::usage);

constexpr SetOf<Outcome> kAny{0xffff};
constexpr SetOf<Outcome> kUnknown = one(Outcome::unknown);

// Codes: PostgreSQL's appendix "PostgreSQL Error Codes". Rows with a code stand before those without; an unknown outcome stands before
// the same failure with a known one.
constexpr std::array kTable{
    ClassRow{"a value that cannot be sent, or read as asked", "", kValue, kAnyCause, kAny, {Retry::never, Vote::none, Fate::keep}},
    ClassRow{"wrong use of the library", "", kAnyPhase, kUsage, kAny, {Retry::never, Vote::none, Fate::drop}},
    ClassRow{"wrong configuration", "", one(Phase::configure), kAnyCause, kAny, {Retry::never, Vote::none, Fate::drop}},
    ClassRow{"stopped while waiting for a connection", "", kBorrow, kCancelled, kAny, {Retry::never, Vote::none, Fate::drop}},
    ClassRow{"no connection to be had", "", kBorrow, kAnyCause, kAny, {Retry::reconnect, Vote::none, Fate::drop}},

    ClassRow{"serialisation failure", "40001", kAnyPhase, kRefused, kAny, {Retry::contention, Vote::none, Fate::keep}},
    ClassRow{"deadlock", "40P01", kAnyPhase, kRefused, kAny, {Retry::contention, Vote::none, Fate::keep}},
    ClassRow{"the server cannot tell whether it committed",
             "40003",
             kAnyPhase,
             kRefused,
             kAny,
             {Retry::resolve_commit, Vote::failure, Fate::drop}},
    ClassRow{"lock refused", "55P03", kAnyPhase, kRefused, kAny, {Retry::lock_if_asked, Vote::none, Fate::keep}},
    ClassRow{"key already taken", "23505", kAnyPhase, kRefused, kAny, {Retry::key_if_asked, Vote::none, Fate::keep}},
    ClassRow{"range already taken", "23P01", kAnyPhase, kRefused, kAny, {Retry::key_if_asked, Vote::none, Fate::keep}},

    ClassRow{"the server is starting or stopping", "57P03", kDial, kRefused, kAny, {Retry::reconnect, Vote::dial_failure, Fate::drop}},
    ClassRow{"the server is starting or stopping", "57P03", kCall, kRefused, kUnknown, {Retry::resolve_commit, Vote::failure, Fate::drop}},
    ClassRow{"the server is starting or stopping", "57P03", kCall, kRefused, kAny, {Retry::reconnect, Vote::failure, Fate::drop}},
    ClassRow{"the server crashed", "57P02", kDial, kRefused, kAny, {Retry::reconnect, Vote::dial_failure, Fate::drop}},
    ClassRow{"the server crashed", "57P02", kCall, kRefused, kUnknown, {Retry::resolve_commit, Vote::failure, Fate::drop}},
    ClassRow{"the server crashed", "57P02", kCall, kRefused, kAny, {Retry::reconnect, Vote::failure, Fate::drop}},
    ClassRow{"ended by an administrator", "57P01", kDial, kRefused, kAny, {Retry::reconnect, Vote::dial_failure, Fate::drop}},
    ClassRow{"ended by an administrator", "57P01", kCall, kRefused, kUnknown, {Retry::resolve_commit, Vote::termination, Fate::drop}},
    ClassRow{"ended by an administrator", "57P01", kCall, kRefused, kAny, {Retry::reconnect, Vote::termination, Fate::drop}},
    ClassRow{"the database was dropped", "57P04", kAnyPhase, kRefused, kAny, {Retry::never, Vote::none, Fate::drop, true}},
    ClassRow{"ended for idling", "57P05", kAnyPhase, kRefused, kAny, {Retry::reconnect, Vote::none, Fate::drop}},
    ClassRow{"ended for idling inside a transaction", "25P03", kAnyPhase, kRefused, kAny, {Retry::never, Vote::none, Fate::drop}},
    ClassRow{"the transaction took too long", "25P04", kAnyPhase, kRefused, kAny, {Retry::never, Vote::slow, Fate::drop}},

    ClassRow{"no connection slot left", "53300", kAnyPhase, kRefused, kAny, {Retry::slow, Vote::overload, Fate::drop}},
    ClassRow{"out of memory", "53200", kAnyPhase, kRefused, kAny, {Retry::slow, Vote::overload, Fate::keep}},
    ClassRow{"disk full", "53100", kAnyPhase, kRefused, kAny, {Retry::never, Vote::overload, Fate::keep, true}},
    ClassRow{"a limit of the configuration", "53400", kAnyPhase, kRefused, kAny, {Retry::never, Vote::none, Fate::keep}},
    ClassRow{"short of a resource", "53", kAnyPhase, kRefused, kAny, {Retry::slow, Vote::overload, Fate::keep}},

    ClassRow{"a write on a standby", "25006", kAnyPhase, kRefused, kAny, {Retry::reroute, Vote::none, Fate::drop_epoch}},
    ClassRow{"statement timed out or cancelled", "57014", kAnyPhase, kRefused, kAny, {Retry::never, Vote::slow, Fate::drain}},

    ClassRow{"prepared statement unknown", "26000", kAnyPhase, kRefused, kAny, {Retry::reprepare, Vote::none, Fate::clear_entry}},
    ClassRow{"prepared statement exists", "42P05", kAnyPhase, kRefused, kAny, {Retry::reprepare, Vote::none, Fate::clear_entry}},
    ClassRow{"plan outdated, or not supported", "0A000", kAnyPhase, kRefused, kAny, {Retry::reprepare, Vote::none, Fate::clear_entry}},

    ClassRow{"login refused", "28", kDial, kRefused, kAny, {Retry::never, Vote::none, Fate::drop, true}},
    ClassRow{"not allowed", "28", kCall, kRefused, kAny, {Retry::never, Vote::none, Fate::keep, true}},
    ClassRow{"no such database", "3D000", kDial, kRefused, kAny, {Retry::never, Vote::none, Fate::drop, true}},
    ClassRow{"damaged data", "XX001", kAnyPhase, kRefused, kAny, {Retry::never, Vote::none, Fate::drop, true}},
    ClassRow{"damaged index", "XX002", kAnyPhase, kRefused, kAny, {Retry::never, Vote::none, Fate::drop, true}},
    ClassRow{"the server's disk or system failed", "58", kAnyPhase, kRefused, kAny, {Retry::never, Vote::failure, Fate::drop, true}},
    ClassRow{"link failed, as the server says", "08", kDial, kRefused, kAny, {Retry::reconnect, Vote::dial_failure, Fate::drop}},
    ClassRow{"link failed, as the server says", "08", kCall, kRefused, kUnknown, {Retry::resolve_commit, Vote::failure, Fate::drop}},
    ClassRow{"link failed, as the server says", "08", kCall, kRefused, kAny, {Retry::reconnect, Vote::failure, Fate::drop}},

    ClassRow{"login impossible", "-", kLogin, kRefused, kAny, {Retry::never, Vote::none, Fate::drop, true}},
    ClassRow{"stopped while dialling", "", kDial, kCancelled, kAny, {Retry::never, Vote::none, Fate::drop}},
    ClassRow{"dialling failed", "-", kDial, kAnyCause, kAny, {Retry::reconnect, Vote::dial_failure, Fate::drop}},
    ClassRow{"login refused for another reason", "", kDial, kAnyCause, kAny, {Retry::never, Vote::none, Fate::drop, true}},

    ClassRow{"no answer in time", "", kReceive, kTimedOut, kAny, {Retry::never, Vote::slow, Fate::drain}},
    ClassRow{"not handed over in time", "", kSend, kTimedOut, kAny, {Retry::never, Vote::slow, Fate::drop}},
    ClassRow{"stopped while the answer was awaited", "", kReceive, kCancelled, kAny, {Retry::never, Vote::none, Fate::drain}},
    ClassRow{"stopped while handing over", "", kSend, kCancelled, kAny, {Retry::never, Vote::none, Fate::drop}},
    ClassRow{
        "link broken while the answer was awaited", "", kReceive, kBroken, kUnknown, {Retry::resolve_commit, Vote::failure, Fate::drop}},
    ClassRow{"link broken before a commit was sent", "", kCall, kBroken, kAny, {Retry::reconnect, Vote::failure, Fate::drop}},

    ClassRow{"the statement or its data", "", kAnyPhase, kAnyCause, kAny, {Retry::never, Vote::none, Fate::keep}},
};

}  // namespace

std::span<const ClassRow> classification_table() noexcept { return kTable; }

const ClassRow& classify(const Error& error) noexcept {
    for (const ClassRow& row : kTable) {
        if (row.matches(error)) return row;
    }
    return kTable.back();
}

}  // namespace howdah::inline v0
