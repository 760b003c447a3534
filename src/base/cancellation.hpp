#pragma once

#include <chrono>
#include <stop_token>
#include <utility>

namespace howdah::base {

/// One stop for a whole operation: the signal handler, a failing worker or a deadline asks for it, every worker sees it within one
/// unit of its work. Copies share the state. All members may be called from any thread.
class Cancellation {
public:
    Cancellation() = default;
    explicit Cancellation(std::stop_source source) : source_(std::move(source)) {}

    void request() { source_.request_stop(); }
    bool requested() const { return source_.stop_requested(); }
    std::stop_token token() const { return source_.get_token(); }

    /// Throws Cancelled("`what` was stopped") when a stop was asked for.
    void check(const char* what) const;

    /// Sleeps until the time has passed or a stop is asked for; true when the whole time passed.
    bool sleep(std::chrono::nanoseconds time) const;

private:
    std::stop_source source_;
};

}  // namespace howdah::base
