#include "client/endpoint/waiting.hpp"

#include <cerrno>
#include <chrono>

#include "client/endpoint/futex.hpp"

namespace howdah::inline v0 {

void Parked::resume() { wake(resumed); }

void Parked::wake(State state) noexcept {
    std::atomic<std::uint32_t>& word = state_;
    // From here on the thread may leave and this object end; the kernel is told a number, which then is nobody's or wakes in vain.
    if (word.exchange(state, std::memory_order_acq_rel) == asleep) futex_wake_one(word);
}

bool Parked::sleep(Moment deadline) noexcept {
    const auto since_boot = deadline.time_since_epoch();
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
    const timespec until{whole.count(), (since_boot - whole).count()};
    while (true) {
        std::uint32_t seen = awake;
        if (!state_.compare_exchange_strong(seen, asleep, std::memory_order_acq_rel) && seen != asleep) return true;
        if (futex_wait(state_, asleep, deadline == kNever ? nullptr : &until) != 0 && errno == ETIMEDOUT) {
            seen = asleep;
            return !state_.compare_exchange_strong(seen, awake, std::memory_order_acq_rel);
        }
    }
}

Parked::End Parked::wait(Moment deadline, const std::stop_token& stop) {
    // A stop must not hide that the thread was resumed: it only replaces "nothing yet".
    const std::stop_callback stopping(stop, [this] {
        std::uint32_t seen = state_.load(std::memory_order_acquire);
        while (seen == awake || seen == asleep) {
            if (!state_.compare_exchange_weak(seen, stopped, std::memory_order_acq_rel)) continue;
            if (seen == asleep) futex_wake_one(state_);
            return;
        }
    });
    if (!sleep(deadline)) return End::late;
    return state_.load(std::memory_order_acquire) == resumed ? End::resumed : End::stopped;
}

void Parked::wait() {
    // A stop that came is forgotten: the answer is on its way.
    std::uint32_t seen = stopped;
    state_.compare_exchange_strong(seen, awake, std::memory_order_acq_rel);
    while (state_.load(std::memory_order_acquire) != resumed) sleep(kNever);
}

}  // namespace howdah::inline v0
