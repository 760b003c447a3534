#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace howdah::archive {

/// Threads for work on whole segments in memory: as many as asked for (0: one a core), not more than there are tasks, and so few that
/// their segments together stay below 512 MiB.
unsigned worker_count(unsigned jobs, std::size_t tasks, std::uint64_t segment_size);

/// Runs `work(worker)` on that many threads, the caller's among them, and returns when all have. `work` must not throw.
void run_workers(unsigned count, const std::function<void()>& work);

}  // namespace howdah::archive
