#include "howdah/classify.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace howdah {
namespace {

constexpr std::array kPhases{Phase::configure,    Phase::borrow, Phase::resolve, Phase::connect,
                             Phase::authenticate, Phase::send,   Phase::receive};
constexpr std::array kCauses{Cause::usage, Cause::refused, Cause::broken, Cause::timed_out, Cause::cancelled};
constexpr std::array kOutcomes{Outcome::not_sent, Outcome::failed, Outcome::succeeded, Outcome::unknown};

Error failure(Phase phase, Cause cause, std::string_view code = {}) { return Error(phase, cause, {}, SqlState(code)); }

/// A failure of a statement inside a block, whose COMMIT was not sent.
Error in_block(Phase phase, Cause cause, std::string_view code = {}) { return failure(phase, cause, code).with_outcome(Outcome::failed); }

std::string words(const Error& error) {
    return std::string(error.sqlstate().view()) + " in " + std::string(name(error.phase())) + ", cause " +
           std::to_string(static_cast<int>(error.cause())) + ", " + std::string(name(error.outcome()));
}

struct Expected {
    Error error;
    std::string_view what;  ///< The row that must decide.
    Verdict verdict;
};

Error refused(std::string_view code) { return failure(Phase::receive, Cause::refused, code); }
Error at_login(std::string_view code) { return failure(Phase::authenticate, Cause::refused, code); }

/// The semantics as they were agreed, written a second time by example: at least one for each row of the table.
std::vector<Expected> expectations() {
    const Verdict contention{Retry::contention, Vote::none, Fate::keep};
    const Verdict resolve{Retry::resolve_commit, Vote::failure, Fate::drop};
    const Verdict again{Retry::reconnect, Vote::failure, Fate::drop};
    const Verdict redial{Retry::reconnect, Vote::dial_failure, Fate::drop};
    const Verdict wrong{Retry::never, Vote::none, Fate::keep};
    const Verdict gone{Retry::never, Vote::none, Fate::drop};
    const Verdict alarm{Retry::never, Vote::none, Fate::drop, true};
    const Verdict stale{Retry::reprepare, Vote::none, Fate::clear_entry};
    return {
        {failure(Phase::encode, Cause::usage), "a value that cannot be sent, or read as asked", wrong},
        {failure(Phase::decode, Cause::usage), "a value that cannot be sent, or read as asked", wrong},
        {in_block(Phase::decode, Cause::usage), "a value that cannot be sent, or read as asked", wrong},
        {failure(Phase::send, Cause::usage), "wrong use of the library", gone},
        {failure(Phase::configure, Cause::refused), "wrong configuration", gone},
        {failure(Phase::borrow, Cause::cancelled), "stopped while waiting for a connection", gone},
        {failure(Phase::borrow, Cause::timed_out), "no connection to be had", {Retry::reconnect, Vote::none, Fate::drop}},
        {refused("40001"), "serialisation failure", contention},
        {refused("40P01"), "deadlock", contention},
        {refused("40003"), "the server cannot tell whether it committed", resolve},
        {refused("55P03"), "lock refused", {Retry::lock_if_asked, Vote::none, Fate::keep}},
        {refused("23505"), "key already taken", {Retry::key_if_asked, Vote::none, Fate::keep}},
        {refused("23P01"), "range already taken", {Retry::key_if_asked, Vote::none, Fate::keep}},
        {at_login("57P03"), "the server is starting or stopping", redial},
        {refused("57P03").with_outcome(Outcome::unknown), "the server is starting or stopping", resolve},
        {refused("57P03"), "the server is starting or stopping", again},
        {at_login("57P02"), "the server crashed", redial},
        {refused("57P02"), "the server crashed", resolve},
        {in_block(Phase::receive, Cause::refused, "57P02"), "the server crashed", again},
        {at_login("57P01"), "ended by an administrator", redial},
        {refused("57P01"), "ended by an administrator", {Retry::resolve_commit, Vote::termination, Fate::drop}},
        {in_block(Phase::receive, Cause::refused, "57P01"), "ended by an administrator", {Retry::reconnect, Vote::termination, Fate::drop}},
        {refused("57P04"), "the database was dropped", alarm},
        {refused("57P05"), "ended for idling", {Retry::reconnect, Vote::none, Fate::drop}},
        {refused("25P03"), "ended for idling inside a transaction", gone},
        {refused("25P04"), "the transaction took too long", {Retry::never, Vote::slow, Fate::drop}},
        {at_login("53300"), "no connection slot left", {Retry::slow, Vote::overload, Fate::drop}},
        {refused("53200"), "out of memory", {Retry::slow, Vote::overload, Fate::keep}},
        {refused("53100"), "disk full", {Retry::never, Vote::overload, Fate::keep, true}},
        {refused("53400"), "a limit of the configuration", wrong},
        {refused("53000"), "short of a resource", {Retry::slow, Vote::overload, Fate::keep}},
        {refused("25006"), "a write on a standby", {Retry::reroute, Vote::none, Fate::drop_epoch}},
        {refused("57014"), "statement timed out or cancelled", {Retry::never, Vote::slow, Fate::drain}},
        {refused("26000"), "prepared statement unknown", stale},
        {refused("42P05"), "prepared statement exists", stale},
        {refused("0A000"), "plan outdated, or not supported", stale},
        {at_login("28P01"), "login refused", alarm},
        {refused("28000"), "not allowed", {Retry::never, Vote::none, Fate::keep, true}},
        {at_login("3D000"), "no such database", alarm},
        {refused("XX001"), "damaged data", alarm},
        {refused("XX002"), "damaged index", alarm},
        {refused("58030"), "the server's disk or system failed", {Retry::never, Vote::failure, Fate::drop, true}},
        {at_login("08004"), "link failed, as the server says", redial},
        {refused("08006"), "link failed, as the server says", resolve},
        {refused("08007"), "link failed, as the server says", resolve},
        {in_block(Phase::receive, Cause::refused, "08P01"), "link failed, as the server says", again},
        {at_login(""), "login impossible", alarm},
        {failure(Phase::connect, Cause::cancelled), "stopped while dialling", gone},
        {failure(Phase::resolve, Cause::refused), "dialling failed", redial},
        {failure(Phase::connect, Cause::broken), "dialling failed", redial},
        {failure(Phase::authenticate, Cause::timed_out), "dialling failed", redial},
        {at_login("42704"), "login refused for another reason", alarm},
        {failure(Phase::receive, Cause::timed_out), "no answer in time", {Retry::never, Vote::slow, Fate::drain}},
        {failure(Phase::send, Cause::timed_out), "not handed over in time", {Retry::never, Vote::slow, Fate::drop}},
        {failure(Phase::receive, Cause::cancelled), "stopped while the answer was awaited", {Retry::never, Vote::none, Fate::drain}},
        {failure(Phase::send, Cause::cancelled), "stopped while handing over", gone},
        {failure(Phase::receive, Cause::broken), "link broken while the answer was awaited", resolve},
        {in_block(Phase::receive, Cause::broken), "link broken before a commit was sent", again},
        {failure(Phase::send, Cause::broken), "link broken before a commit was sent", again},
        {refused("42601"), "the statement or its data", wrong},
        {refused("22012"), "the statement or its data", wrong},
        {refused("23503"), "the statement or its data", wrong},
        {refused(""), "the statement or its data", wrong},
    };
}

TEST(Classify, EveryRowDecidesAsAgreed) {
    std::set<const ClassRow*> walked;
    for (const Expected& expected : expectations()) {
        const ClassRow& row = classify(expected.error);
        walked.insert(&row);
        EXPECT_EQ(row.what, expected.what) << words(expected.error);
        EXPECT_EQ(row.verdict.retry, expected.verdict.retry) << words(expected.error);
        EXPECT_EQ(row.verdict.vote, expected.verdict.vote) << words(expected.error);
        EXPECT_EQ(row.verdict.fate, expected.verdict.fate) << words(expected.error);
        EXPECT_EQ(row.verdict.alert, expected.verdict.alert) << words(expected.error);
    }
    for (const ClassRow& row : classification_table())
        EXPECT_TRUE(walked.contains(&row)) << "no example for: " << row.what << " " << row.code;
}

/// Each failure of every phase, cause, outcome and every code of the table, so that what must never happen can be asked of all.
template <typename Visit>
void for_each_failure(const Visit& visit) {
    std::set<std::string> codes{"", "22012", "42601", "P0001"};
    for (const ClassRow& row : classification_table()) {
        if (row.code.size() == 5) codes.emplace(row.code);
        if (row.code.size() == 2) codes.insert(std::string(row.code) + "000");
    }
    for (const Phase phase : kPhases)
        for (const Cause cause : kCauses)
            for (const Outcome outcome : kOutcomes)
                for (const std::string& code : codes) visit(failure(phase, cause, code).with_outcome(outcome));
}

TEST(Classify, ABrokenUnknownIsNeverRepeatedBlindly) {
    for_each_failure([](const Error& error) {
        if (error.outcome() != Outcome::unknown || error.phase() != Phase::receive) return;
        const Verdict& verdict = classify(error).verdict;
        const bool link_ended = verdict.fate == Fate::drop && verdict.retry != Retry::never;
        if (link_ended && error.sqlstate().view().substr(0, 2) != "53" && !(error.sqlstate() == "57P05")) {
            EXPECT_EQ(verdict.retry, Retry::resolve_commit) << words(error);
        }
    });
}

TEST(Classify, ABrokenLinkIsNeverKept) {
    for_each_failure([](const Error& error) {
        if (error.cause() != Cause::broken) return;
        const Fate fate = classify(error).verdict.fate;
        EXPECT_EQ(fate, Fate::drop) << words(error);
    });
}

TEST(Classify, ACallersOwnStopCastsNoVote) {
    for_each_failure([](const Error& error) {
        if (error.cause() == Cause::cancelled || error.cause() == Cause::usage) {
            EXPECT_EQ(classify(error).verdict.vote, Vote::none) << words(error);
            EXPECT_EQ(classify(error).verdict.retry, Retry::never) << words(error);
        }
    });
}

TEST(Outcome, FollowsPhaseAndCauseWhenNothingMoreIsKnown) {
    for (const Phase phase : {Phase::configure, Phase::borrow, Phase::resolve, Phase::connect, Phase::authenticate})
        for (const Cause cause : kCauses) EXPECT_EQ(failure(phase, cause).outcome(), Outcome::not_sent);
    EXPECT_EQ(failure(Phase::send, Cause::broken).outcome(), Outcome::not_sent);
    EXPECT_EQ(failure(Phase::send, Cause::refused).outcome(), Outcome::failed);
    EXPECT_EQ(failure(Phase::receive, Cause::refused, "23505").outcome(), Outcome::failed);
    EXPECT_EQ(failure(Phase::receive, Cause::refused, "57014").outcome(), Outcome::failed);
    for (const Cause cause : {Cause::broken, Cause::timed_out, Cause::cancelled})
        EXPECT_EQ(failure(Phase::receive, cause).outcome(), Outcome::unknown);
    for (const char* code : {"08006", "08007", "40003", "57P01", "57P02"})
        EXPECT_EQ(failure(Phase::receive, Cause::refused, code).outcome(), Outcome::unknown) << code;
}

TEST(Outcome, WhoKnowsMoreSaysSo) {
    const Error lost = failure(Phase::receive, Cause::broken);
    const Error resolved = lost.with_outcome(Outcome::succeeded);
    EXPECT_EQ(resolved.outcome(), Outcome::succeeded);
    EXPECT_EQ(lost.outcome(), Outcome::unknown);
    EXPECT_EQ(resolved.phase(), Phase::receive);
}

}  // namespace
}  // namespace howdah
