#include "base/cancellation.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>

#include "base/failure.hpp"

namespace howdah::base {

void Cancellation::check(const char* what) const {
    if (requested()) throw Cancelled(std::string(what) + " was stopped");
}

bool Cancellation::sleep(std::chrono::nanoseconds time) const {
    // A deadline far in the future would overflow the clock.
    constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365);
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, token(), std::min(time, kLongest), [] { return false; });
    return !requested();
}

}  // namespace howdah::base
