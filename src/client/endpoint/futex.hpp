#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace howdah::inline v0 {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "the kernel looks at the number itself");

/// Sleeps while the word is `seen`, until the moment at most; null for no end. May return early. FUTEX_WAIT_BITSET takes an absolute time
/// of CLOCK_MONOTONIC, which is the steady clock here (futex(2)).
inline long futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, const timespec* until) noexcept {
    return ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, seen, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

inline void futex_wake_one(std::atomic<std::uint32_t>& word) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace howdah::inline v0
