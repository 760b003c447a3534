#include "client/call/judgement.hpp"

namespace howdah::inline v0 {

namespace {

/// A write was refused by a server that is no standby and takes writes of others: the block was made read-only by its own user.
bool read_only_by_choice(const Session& session, const Error& error) { return error.sqlstate() == "25006" && session.writable(); }

}  // namespace

void prepare_again(Session& session, const Error& error, const Statement& statement) {
    if (error.sqlstate() == "0A000") {
        session.outdate_prepared(statement.number());
    } else {
        session.forget_prepared(statement.number());
    }
}

void give_back_failed(Endpoint& endpoint, Moment now, Grant& grant, const ClassRow& row, const Error& error, const Statement* statement,
                      bool first_try) {
    Session& session = endpoint.session(grant);
    const bool lost = !session.connected() && endpoint.log_wanted();
    Fate fate = row.verdict.fate;
    if (fate == Fate::clear_entry) {
        if (statement != nullptr) prepare_again(session, error, *statement);
        // A name that is taken was given by somebody else: this session is not what we think.
        fate = error.sqlstate() == "42P05" ? Fate::drop : Fate::keep;
    }
    // A misused call, or one whose time was over before it was sent, touched nothing and says nothing about the server; one given up in
    // the middle goes on until somebody reads it to its end.
    const bool untouched = (error.cause() == Cause::usage || error.phase() == Phase::send) && session.connected() && !session.busy();
    if (untouched || read_only_by_choice(session, error)) fate = Fate::keep;
    if (fate == Fate::keep && session.busy()) fate = Fate::drain;
    endpoint.give_back(now, grant, untouched ? Vote::none : row.verdict.vote, fate, first_try);
    if (lost) endpoint.log(now, LogKind::session, Severity::warning, "a session of the pool was lost: " + error.message());
}

}  // namespace howdah::inline v0
