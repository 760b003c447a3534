#include "client/endpoint/lock.hpp"

#include "client/endpoint/futex.hpp"

namespace howdah::inline v0 {

void Lock::lock_contended() noexcept {
    // Whoever gets it this way cannot know whether others sleep, and wakes one in vain at worst.
    while (word_.exchange(wanted, std::memory_order_acquire) != free) futex_wait(word_, wanted, nullptr);
}

void Lock::wake_one() noexcept { futex_wake_one(word_); }

}  // namespace howdah::inline v0
