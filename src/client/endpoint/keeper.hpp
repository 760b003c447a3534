#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "client/asked.hpp"
#include "client/endpoint/endpoint.hpp"
#include "client/endpoint/job.hpp"
#include "client/endpoint/mode_file.hpp"
#include "client/endpoint/monitor.hpp"

namespace howdah::inline v0 {

/// The one thread of a client. It drives what the pool wants done (dials, resets, drains, goodbyes) and the monitor, all as non-blocking
/// machines over one poll(2). The constructor starts it, the destructor ends it; it calls no user code but observers.
class Keeper {
public:
    Keeper(Endpoint& endpoint, DialPlan plan, const PoolOptions& pool, const std::optional<MonitorOptions>& monitor, ModeFile mode_file);
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    /// From any thread. Answered `lost` when there is no monitor or it is not well.
    void ask(std::shared_ptr<Inquiry> inquiry);
    const MonitorFigures& monitor() const noexcept { return monitor_ ? monitor_->figures() : no_figures_; }
    /// Times the loop caught something it did not expect, and went on.
    bool monitored() const noexcept { return monitor_ != nullptr; }
    /// When the loop last came by.
    Moment heartbeat() const noexcept { return Moment(Duration(heartbeat_.load(std::memory_order_relaxed))); }
    std::uint64_t troubles() const noexcept { return troubles_.load(std::memory_order_relaxed); }

private:
    void run();
    void round(Moment now);
    void take_work(Moment now);
    void begin(Moment now, const PoolCore::Work& work);
    /// Whether the place's job closes it; else there is none any more.
    bool end_job(Moment now, ConnectionId connection);
    void cancel_leased(const PoolCore::Work& work);
    void watch(const Need& need);
    void look_at_mode_file(Moment now);

    Endpoint& endpoint_;
    const DialPlan plan_;
    const PoolOptions pool_;
    const Bell bell_;
    MonitorFigures no_figures_;
    std::unique_ptr<Monitor> monitor_;
    std::atomic<std::uint64_t> troubles_{0};
    std::atomic<Moment::rep> heartbeat_{std::chrono::steady_clock::now().time_since_epoch().count()};
    std::atomic<bool> ending_{false};

    ModeFile mode_file_;
    Moment next_look_{};

    std::mutex mutex_;
    std::vector<std::shared_ptr<Inquiry>> asked_;

    std::vector<PoolCore::Work> work_;
    std::vector<std::unique_ptr<Job>> jobs_;
    std::vector<pollfd> watched_;
    bool rung_ = true;  ///< The bell may be ringing.
    Moment next_{};
    Moment next_tick_{};
    Moment next_work_{};  ///< When the passing of time next makes some.
    std::thread thread_;
};

}  // namespace howdah::inline v0
