#pragma once

#include "client/call/transaction_state.hpp"

namespace howdah::inline v0 {

/// What became of a transaction whose COMMIT went out and whose answer did not come: `failed`, `succeeded` or `unknown`. Asks the server
/// through the monitor until it is clear or the deadline passes.
///
/// A transaction's number says nothing across a crash: one that never reached the disk may be given out again. So "committed" counts only
/// from a session that was open before the transaction began, for then the server ran on; "aborted" counts from any server with the same
/// system identifier and timeline, since a commit on the disk would have kept its number.
Outcome resolve_commit(ClientState& state, const TransactionState& transaction, const Identity& server, Moment deadline);

}  // namespace howdah::inline v0
