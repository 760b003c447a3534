#pragma once

#include <atomic>
#include <cstdint>

namespace howdah::inline v0 {

namespace internal {
extern std::atomic<std::uint32_t> forks;
}

/// How many forks lie between this process and the one that loaded the library. A child has one more than its parent, so whoever notes
/// the number sees that it is somewhere else. Costs one load; getpid() would be a system call.
inline std::uint32_t fork_count() noexcept { return internal::forks.load(std::memory_order_relaxed); }
/// Begins counting; before the first number is noted.
void watch_forks();

}  // namespace howdah::inline v0
