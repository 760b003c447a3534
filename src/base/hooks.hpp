#pragma once

#include <string_view>

/// Fault points and guards for the tests. Two implementations exist and the linker picks one: hooks_off.cpp (the program: a fault
/// point does nothing, every guard is on) and hooks_on.cpp (build/howdah-hooks, driven by the tests' environment).
namespace howdah::base {

/// A named place where the kill tests stop the process. With HOWDAH_FAULT="name" (or "name#3" for the third passage) in the
/// environment of howdah-hooks the process kills itself with SIGKILL here. Names are "operation.place"; the tests find them all by
/// reading the source, so a new point is tested without being listed anywhere.
void fault_point(std::string_view name);

/// A named place where a test may act while the process waits. With HOWDAH_TEST_PAUSE="name:/path" howdah-hooks writes `note` to that
/// path (complete by a rename) and goes on once the file is gone.
void pause_point(std::string_view name, std::string_view note);

/// Whether a correctness guard is on: always, except in howdah-hooks with the guard's name in HOWDAH_GUARDS_OFF (comma-separated).
/// The code reads `if (guard("T11.reread") ...)`, so that `./run traps` can show that the trap fails without it.
bool guard(std::string_view name);

}  // namespace howdah::base
