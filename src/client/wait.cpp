#include "client/wait.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace howdah::inline v0 {

namespace {

/// The longest single poll. Without an event descriptor for the stop token (none could be opened) it is short, so that a stop is seen.
constexpr std::chrono::nanoseconds kLongStep = std::chrono::hours(1);
constexpr std::chrono::nanoseconds kShortStep = std::chrono::milliseconds(20);

timespec as_timespec(std::chrono::nanoseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    return {seconds.count(), (time - seconds).count()};
}

}  // namespace

Waiter::Waiter(std::stop_token stop) : stop_(std::move(stop)) {
    if (!stop_.stop_possible()) return;
    descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    callback_.emplace(stop_, [descriptor = descriptor_] {
        const std::uint64_t one = 1;
        if (descriptor >= 0 && ::write(descriptor, &one, sizeof one) < 0) return;
    });
}

Waiter::~Waiter() {
    callback_.reset();
    if (descriptor_ >= 0) ::close(descriptor_);
}

Wake Waiter::wait(const Need& need, Deadline now) {
    std::array<pollfd, 2> watched{pollfd{need.descriptor, need.events, 0}, pollfd{descriptor_, POLLIN, 0}};
    const nfds_t count = descriptor_ < 0 ? 1 : 2;
    const auto step = stop_.stop_possible() && descriptor_ < 0 ? kShortStep : kLongStep;
    const bool limited = need.until != kNoDeadline || step == kShortStep;
    while (true) {
        const auto left =
            need.until == kNoDeadline ? step : std::clamp<std::chrono::nanoseconds>(need.until - now, std::chrono::nanoseconds(0), step);
        const timespec limit = as_timespec(left);
        const int ready = ::ppoll(watched.data(), count, limited ? &limit : nullptr, nullptr);
        if (stop_.stop_requested()) return Wake::stopped;
        if (ready > 0) return Wake::ready;
        now = std::chrono::steady_clock::now();
        if (now >= need.until) return Wake::late;
    }
}

bool ready_now(int descriptor, short events) {
    pollfd watched{descriptor, events, 0};
    int count = 0;
    do {
        count = ::poll(&watched, 1, 0);
    } while (count < 0 && errno == EINTR);
    return count > 0;
}

}  // namespace howdah::inline v0
