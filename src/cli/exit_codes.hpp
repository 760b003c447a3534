#pragma once

#include "base/failure.hpp"

namespace howdah::cli {

struct Context;

/// PostgreSQL's own commands read exit codes in their own way, so who called decides how a failure is told (DESIGN section 5).
enum class Caller { person, archive_command, restore_command };

/// Looks at the words before they are parsed, so that a wrong use of `wal fetch` can never be read as "end of WAL".
Caller called_by_server(int argc, const char* const* argv);

int exit_code_of(const Context& context, const base::Failure& failure);
int usage_exit_code(const Context& context);

}  // namespace howdah::cli
