#include "client/watch.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cstddef>

namespace howdah::inline v0 {

Watch::~Watch() {
    if (set_ >= 0) ::close(set_);
    if (alarm_ >= 0) ::close(alarm_);
}

bool Watch::await_news(int socket, Moment until, Moment now) noexcept {
    if (ended_) return false;
    const bool rings_in_time = now < rings_ && rings_ <= until;
    if (!rings_in_time && !((set_ >= 0 || make(socket)) && ring(until))) return false;
    std::array<epoll_event, 2> news;
    // As the C library's function, which besides makes the thread cancellable meanwhile (pthread_cancel(3)) at 30 instructions.
    const long count = ::syscall(SYS_epoll_pwait, set_, news.data(), 2, -1, nullptr, 0);
    bool any = false;
    for (long i = 0; i < count; ++i) {
        const epoll_event& one = news[static_cast<std::size_t>(i)];
        if (one.data.fd != socket) continue;
        any = true;
        ended_ = (one.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    }
    return any;
}

bool Watch::make(int socket) noexcept {
    set_ = ::epoll_create1(EPOLL_CLOEXEC);
    alarm_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_event readable{EPOLLIN | EPOLLRDHUP | EPOLLET, {.fd = socket}};
    epoll_event rung{EPOLLIN, {.fd = alarm_}};
    if (set_ >= 0 && alarm_ >= 0 && ::epoll_ctl(set_, EPOLL_CTL_ADD, socket, &readable) == 0 &&
        ::epoll_ctl(set_, EPOLL_CTL_ADD, alarm_, &rung) == 0)
        return true;
    *this = Watch();
    return false;
}

bool Watch::ring(Moment at) noexcept {
    // The steady clock is CLOCK_MONOTONIC here, and "never" an alarm that is set to nothing.
    const auto since_boot = at == kNever ? Duration::zero() : at.time_since_epoch();
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
    const itimerspec once{{0, 0}, {whole.count(), (since_boot - whole).count()}};
    if (::timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &once, nullptr) != 0) return false;
    rings_ = at;
    return true;
}

}  // namespace howdah::inline v0
