#pragma once

#include <atomic>
#include <cstdint>

namespace howdah::inline v0 {

/// A mutex of one futex word: taken and freed by one instruction each, in line, while nobody else wants it. The endpoint's is taken
/// twice a call, where std::mutex costs 110 instructions in a library of its own. BasicLockable; not recursive, and not fair.
/// After Ulrich Drepper, "Futexes Are Tricky" (2011), mutex3.
class Lock {
public:
    Lock() = default;
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    void lock() noexcept {
        std::uint32_t seen = free;
        if (!word_.compare_exchange_strong(seen, held, std::memory_order_acquire)) lock_contended();
    }
    void unlock() noexcept {
        if (word_.exchange(free, std::memory_order_release) == wanted) wake_one();
    }

private:
    enum State : std::uint32_t { free = 0, held = 1, wanted = 2 };  ///< `wanted`: held, and somebody may sleep.
    [[gnu::cold]] void lock_contended() noexcept;
    [[gnu::cold]] void wake_one() noexcept;

    std::atomic<std::uint32_t> word_{free};
};

}  // namespace howdah::inline v0
