#pragma once

#include <utility>

#include "howdah/moment.hpp"

namespace howdah::inline v0 {

/// Waits for the answers on one socket, one after the other, each with a deadline. poll(2) begins from nothing each time: it enters the
/// socket into a list, starts a timer, and takes both back. Here both are entered once: the socket into an epoll(7) set, edge-triggered,
/// and beside it an alarm (timerfd_create(2)). Calls follow each other closely and each has a later deadline than the one before, so the
/// moment set for the first serves them all; it comes early then, once, and is set anew. Two descriptors a socket. Used by one thread at
/// a time.
class Watch {
public:
    Watch() = default;
    ~Watch();
    Watch(Watch&& other) noexcept { *this = std::move(other); }
    Watch& operator=(Watch&& other) noexcept {
        std::swap(set_, other.set_);
        std::swap(alarm_, other.alarm_);
        std::swap(rings_, other.rings_);
        std::swap(ended_, other.ended_);
        return *this;
    }

    /// Waits until something new has come on the socket, always the same one. What was told and not read is not new: until all of it is,
    /// poll(2) has to tell. False when there may be nothing: the deadline came, a signal, the other side has ended the link, or the
    /// process can have no more descriptors. Then poll(2) tells, as it does of what was there before.
    bool await_news(int socket, Moment until, Moment now) noexcept;

private:
    bool make(int socket) noexcept;
    bool ring(Moment at) noexcept;

    int set_ = -1;
    int alarm_ = -1;
    Moment rings_ = Moment::min();
    bool ended_ = false;  ///< The other side has; that is told once.
};

}  // namespace howdah::inline v0
