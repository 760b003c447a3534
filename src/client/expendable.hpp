#pragma once

#include <functional>

namespace howdah::inline v0 {

/// Runs blocking work on a detached thread with all signals blocked; nobody waits for it and it may hang for ever. The work must own
/// what it touches and must not throw. False when no thread could be made.
bool run_expendable(std::function<void()> work) noexcept;

}  // namespace howdah::inline v0
