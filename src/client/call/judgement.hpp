#pragma once

#include "client/endpoint/endpoint.hpp"
#include "howdah/classify.hpp"
#include "howdah/statement.hpp"

namespace howdah::inline v0 {

/// After a failure that says so, has the statement prepared again at its next use.
void prepare_again(Session& session, const Error& error, const Statement& statement);

/// Ends the lease of a failed try as the table says: the vote, and what becomes of the session.
void give_back_failed(Endpoint& endpoint, Moment now, Grant& grant, const ClassRow& row, const Error& error, const Statement* statement,
                      bool first_try);

}  // namespace howdah::inline v0
