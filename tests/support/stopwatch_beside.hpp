#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace howdah::tests {

/// What the machine adds to every deadline: on each processor a thread that wants to wake every other millisecond and notes from when
/// to when it could not. Thread-safe.
class StopwatchBeside {
public:
    using Clock = std::chrono::steady_clock;

    StopwatchBeside();
    ~StopwatchBeside();
    StopwatchBeside(const StopwatchBeside&) = delete;
    StopwatchBeside& operator=(const StopwatchBeside&) = delete;

    /// How much of that time some processor's thread stood still at the most.
    Clock::duration held_up(Clock::time_point from, Clock::time_point to) const;

private:
    struct Hold {
        Clock::time_point due;
        Clock::time_point woke;
    };
    struct Processor {
        mutable std::mutex mutex;
        std::vector<Hold> holds;
        std::thread thread;
    };
    void watch(Processor& processor, unsigned number);

    std::atomic<bool> ending_{false};
    std::deque<Processor> processors_;
};

}  // namespace howdah::tests
