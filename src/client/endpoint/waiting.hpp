#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "client/policy/pool_core.hpp"

namespace howdah {

/// Somebody in an endpoint's queue. resume() is called exactly once, without any lock held, after `work` was filled; until then the
/// object must stay where it is.
class Waiting {
public:
    virtual void resume() = 0;

    PoolCore::Work work;      ///< `serve` or `refuse`.
    Waiting* next = nullptr;  ///< Among those to be resumed.

protected:
    ~Waiting() = default;
};

/// A blocked thread.
class Parked final : public Waiting {
public:
    void resume() override;
    enum class End { resumed, late, stopped };
    /// After `late` and `stopped` it still stands in the queue.
    End wait(Moment deadline, const std::stop_token& stop);
    /// For one who is about to be resumed.
    void wait();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool resumed_ = false;
    bool stopped_ = false;
};

}  // namespace howdah
