#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

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

/// Waits for what a machine needs, for a deadline and for a stop token at once. Used by one thread.
class Waiter {
public:
    explicit Waiter(std::stop_token stop);
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    bool stoppable() const noexcept { return stop_.stop_possible(); }
    /// `late` when need.until passed, `stopped` when the token was triggered (which wins over readiness). `now`: the present moment,
    /// where the caller knows it.
    Wake wait(const Need& need, Deadline now = std::chrono::steady_clock::now());

private:
    std::stop_token stop_;
    int descriptor_ = -1;
    std::optional<std::stop_callback<std::function<void()>>> callback_;
};

/// Whether the descriptor is ready for one of these poll(2) events now.
bool ready_now(int descriptor, short events);

}  // namespace howdah::inline v0
