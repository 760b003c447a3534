#include "client/fork.hpp"

#include <pthread.h>

namespace howdah::inline v0 {

std::atomic<std::uint32_t> internal::forks{0};

void watch_forks() {
    static const int watching = ::pthread_atfork(nullptr, nullptr, [] { internal::forks.fetch_add(1, std::memory_order_relaxed); });
    static_cast<void>(watching);
}

}  // namespace howdah::inline v0
