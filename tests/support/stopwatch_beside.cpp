#include "support/stopwatch_beside.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>

namespace howdah::tests {

namespace {

constexpr std::chrono::milliseconds kTick{2};
/// Less than this is no hold-up.
constexpr std::chrono::milliseconds kLate{1};

}  // namespace

StopwatchBeside::StopwatchBeside() {
    for (unsigned number = 0; number < std::max(1U, std::thread::hardware_concurrency()); ++number) {
        Processor& processor = processors_.emplace_back();
        processor.thread = std::thread([this, &processor, number] { watch(processor, number); });
    }
}

StopwatchBeside::~StopwatchBeside() {
    ending_ = true;
    for (Processor& processor : processors_) processor.thread.join();
}

void StopwatchBeside::watch(Processor& processor, unsigned number) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(number, &only);
    // Where that is not allowed, it runs wherever it may.
    static_cast<void>(::pthread_setaffinity_np(::pthread_self(), sizeof only, &only));
    while (!ending_) {
        const auto due = Clock::now() + kTick;
        std::this_thread::sleep_until(due);
        const auto woke = Clock::now();
        if (woke - due < kLate) continue;
        const std::scoped_lock lock(processor.mutex);
        processor.holds.push_back({due, woke});
    }
}

StopwatchBeside::Clock::duration StopwatchBeside::held_up(Clock::time_point from, Clock::time_point to) const {
    Clock::duration most{};
    for (const Processor& processor : processors_) {
        const std::scoped_lock lock(processor.mutex);
        Clock::duration sum{};
        for (auto hold = processor.holds.rbegin(); hold != processor.holds.rend() && hold->woke > from; ++hold)
            sum += std::max(std::min(hold->woke, to) - std::max(hold->due, from), Clock::duration::zero());
        most = std::max(most, sum);
    }
    return most;
}

}  // namespace howdah::tests
