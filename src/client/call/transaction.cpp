#include "howdah/transaction.hpp"

#include "client/call/transaction_state.hpp"

namespace howdah::inline v0 {

Result<Rows> Transaction::execute_list(Query query, const ParameterList& parameters) { return state_.execute(query, parameters); }
Result<void> Transaction::begin_savepoint() { return state_.begin_savepoint(); }
Result<void> Transaction::end_savepoint(bool keep) { return state_.end_savepoint(keep); }
unsigned Transaction::tries() const noexcept { return state_.tries(); }
Moment Transaction::deadline() const noexcept { return state_.deadline(); }

}  // namespace howdah::inline v0
