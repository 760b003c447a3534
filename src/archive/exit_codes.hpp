#pragma once

#include "base/failure.hpp"

namespace howdah::archive {

/// Exit code of `wal push` after a failure: never 0 and never above 125, which PostgreSQL would take for a reason to stop its archiver
/// process (postmaster/pgarch.c).
int push_exit_code(const base::Failure& failure);

/// Exit code of `wal fetch` after a failure of any kind: 126, which ends recovery. PostgreSQL reads 1 to 125 as "end of WAL" and may
/// promote (access/transam/xlogarchive.c), so wrong use, configuration, keys and outages must never answer with one of them. The only
/// 1 is FetchOutcome::absent.
int fetch_exit_code(const base::Failure& failure);

}  // namespace howdah::archive
