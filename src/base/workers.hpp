#pragma once

#include <functional>

namespace howdah::base {

/// Runs `work` on that many threads, the caller's among them, and returns when all have ended. When the host gives fewer threads (a limit
/// of processes), those there are do it all, and a warning says so. `work` must not throw, and takes its share from what all share.
void run_workers(unsigned count, const std::function<void()>& work);

}  // namespace howdah::base
