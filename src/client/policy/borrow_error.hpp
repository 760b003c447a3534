#pragma once

#include <optional>

#include "client/policy/pool_core.hpp"
#include "howdah/breaker.hpp"
#include "howdah/error.hpp"

namespace howdah::inline v0 {

/// A refusal in words that name the cause. Phase borrow; cause `timed_out` for a wait that was too long, `refused` for one that was not
/// begun, `usage` for a pool that is closed or another process's. With `dial_error` its words, SQLSTATE and endpoint are told.
Error borrow_error(const Refusal& refusal, const std::optional<Error>& dial_error);
/// The same for an open breaker: why it opened, and, where nobody gets through, the words of the last dial or of the monitor. No SQLSTATE, for no server
/// refused the call.
Error open_error(BreakerReason reason, const std::optional<Error>& dial_error);

}  // namespace howdah::inline v0
