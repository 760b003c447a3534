#pragma once

#include "base/failure.hpp"

namespace howdah::archive {

enum class FetchOutcome { delivered, absent };

/// What PostgreSQL's archiver gets for a failed push: the failure's own exit code, never above 125, which would end the archiver.
int push_exit_code(const base::Failure& failure);

/// 0 delivered, 1 absent.
int fetch_exit_code(FetchOutcome outcome);
/// 126, whatever failed: PostgreSQL takes 1 to 125 for the end of WAL and may promote (trap T18; common/wait_error.c).
int fetch_exit_code(const base::Failure& failure);

}  // namespace howdah::archive
