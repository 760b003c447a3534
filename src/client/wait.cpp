#include "client/wait.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
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

std::chrono::nanoseconds step(Deadline until, Deadline now, bool deaf) {
    const auto most = deaf ? kShortStep : kLongStep;
    return until == kNoDeadline ? most : std::clamp<std::chrono::nanoseconds>(until - now, std::chrono::nanoseconds(0), most);
}

}  // namespace

Alarm::~Alarm() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

int Alarm::set(Deadline until) noexcept {
    if (descriptor_ < 0) descriptor_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (descriptor_ < 0) return -1;
    const itimerspec once{{0, 0}, as_timespec(until.time_since_epoch())};
    if (::timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &once, nullptr) != 0) return -1;
    set_ = until;
    return descriptor_;
}

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

Wake Waiter::wait(const Need& need, Deadline now, Alarm* alarm) {
    const bool limited = need.until != kNoDeadline;
    const int bell = limited && alarm != nullptr ? alarm->at(need.until, now) : -1;
    // poll(2) passes over negative descriptors.
    std::array<pollfd, 3> watched{pollfd{need.descriptor, need.events, 0}, pollfd{bell, POLLIN, 0}, pollfd{descriptor_, POLLIN, 0}};
    const nfds_t count = descriptor_ >= 0 ? 3 : bell >= 0 ? 2 : 1;
    const bool deaf = descriptor_ < 0 && stop_.stop_possible();
    const bool timed = (limited && bell < 0) || deaf;
    while (true) {
        const timespec limit = timed ? as_timespec(step(need.until, now, deaf)) : timespec{};
        const int ready = ::ppoll(watched.data(), count, timed ? &limit : nullptr, nullptr);
        if (stop_.stop_requested()) return Wake::stopped;
        if (ready > 0 && watched[0].revents != 0) return Wake::ready;
        now = std::chrono::steady_clock::now();
        if (now >= need.until) return Wake::late;
        // It rang for an earlier deadline than this one.
        if (bell >= 0) alarm->at(need.until, now);
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
