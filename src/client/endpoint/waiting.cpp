#include "client/endpoint/waiting.hpp"

namespace howdah {

void Parked::resume() {
    // Told under the lock: the thread cannot leave with this object while it is still touched here.
    const std::scoped_lock lock(mutex_);
    resumed_ = true;
    changed_.notify_one();
}

Parked::End Parked::wait(Moment deadline, const std::stop_token& stop) {
    const std::stop_callback stopping(stop, [this] {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        changed_.notify_one();
    });
    std::unique_lock lock(mutex_);
    const auto over = [this] { return resumed_ || stopped_; };
    if (deadline == kNever) {
        changed_.wait(lock, over);
    } else {
        changed_.wait_until(lock, deadline, over);
    }
    if (resumed_) return End::resumed;
    return stopped_ ? End::stopped : End::late;
}

void Parked::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return resumed_; });
}

}  // namespace howdah
