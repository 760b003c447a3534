#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

namespace howdah::inline v0 {

/// An absolute moment by which a call must have answered.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

/// What a non-blocking machine waits for: readiness of a descriptor (poll(2) events), at the latest until that moment.
struct Need {
    int descriptor = -1;
    short events = 0;
    Deadline until = kNoDeadline;
};

enum class Wake { ready, late, stopped };

/// A descriptor that becomes readable when a moment has come (timerfd_create(2)). Calls follow each other closely and each has a later
/// deadline than the one before, so the moment set for the first serves them all: it rings early, once, and is set anew. That spares
/// each call the timer that ppoll(2) would start and stop. Used by one thread at a time.
class Alarm {
public:
    Alarm() = default;
    ~Alarm();
    Alarm(Alarm&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), set_(other.set_) {}
    Alarm& operator=(Alarm&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        std::swap(set_, other.set_);
        return *this;
    }
    /// The descriptor, which rings at `until` or before; -1 when the process can have no more of them.
    int at(Deadline until, Deadline now) noexcept { return now < set_ && set_ <= until ? descriptor_ : set(until); }

private:
    int set(Deadline until) noexcept;
    int descriptor_ = -1;
    Deadline set_ = Deadline::min();
};

/// Waits for what a machine needs, for a deadline and for a stop token at once. Used by one thread.
class Waiter {
public:
    explicit Waiter(std::stop_token stop);
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    /// `late` when need.until passed, `stopped` when the token was triggered (which wins over readiness). `now`: the present moment,
    /// where the caller knows it. With an alarm the kernel need not start a timer for this wait alone.
    Wake wait(const Need& need, Deadline now = std::chrono::steady_clock::now(), Alarm* alarm = nullptr);

private:
    std::stop_token stop_;
    int descriptor_ = -1;
    std::optional<std::stop_callback<std::function<void()>>> callback_;
};

/// Whether the descriptor is ready for one of these poll(2) events now.
bool ready_now(int descriptor, short events);

}  // namespace howdah::inline v0
