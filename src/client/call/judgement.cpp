#include "client/call/judgement.hpp"

namespace howdah {

void give_back_failed(Endpoint& endpoint, Moment now, Grant& grant, const ClassRow& row, const Error& error, const Statement* statement,
                      bool first_try) {
    Session& session = endpoint.session(grant);
    Fate fate = row.verdict.fate;
    if (fate == Fate::clear_entry) {
        if (statement != nullptr) session.forget_prepared(statement->number());
        // A name that is taken was given by somebody else: this session is not what we think.
        fate = error.sqlstate() == "42P05" ? Fate::drop : Fate::keep;
    }
    // A misused call touched nothing, whatever it was about; one given up in the middle goes on until somebody reads it to its end.
    if (error.cause() == Cause::usage && session.connected() && !session.busy()) fate = Fate::keep;
    if (fate == Fate::keep && session.busy()) fate = Fate::drain;
    endpoint.give_back(now, grant, row.verdict.vote, fate, first_try);
}

}  // namespace howdah
