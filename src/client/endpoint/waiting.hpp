#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "client/policy/breaker.hpp"
#include "client/policy/pool_core.hpp"

namespace howdah::inline v0 {

/// What an admitted call holds: a leased session and the breaker's permit.
struct Grant {
    ConnectionId connection;
    Breaker::Permit permit;
    Moment begun{};
};

/// Somebody in an endpoint's queue. resume() is called exactly once, without any lock held, after the answer was filled in; until then the
/// object must stay where it is.
class Waiting {
public:
    virtual void resume() = 0;

    Moment begun{};         ///< To stand in the queue.
    PoolCore::Work work;    ///< The answer: `serve` or `refuse`.
    bool admitted = false;  ///< When served: whether the breaker let it pass, and then what it holds.
    Grant grant;
    Waiting* next = nullptr;  ///< Among those to be resumed.

protected:
    ~Waiting() = default;
};

/// A blocked thread. One futex: waking it is one system call, and only when it sleeps.
class Parked final : public Waiting {
public:
    void resume() override;
    enum class End { resumed, late, stopped };
    /// After `late` and `stopped` it still stands in the queue.
    End wait(Moment deadline, const std::stop_token& stop);
    /// For one who is about to be resumed.
    void wait();

private:
    enum State : std::uint32_t { awake = 0, asleep = 1, resumed = 2, stopped = 3 };
    void wake(State state) noexcept;
    /// Sleeps while nobody changed the state; false when the deadline came first.
    bool sleep(Moment deadline) noexcept;

    std::atomic<std::uint32_t> state_{awake};
};

}  // namespace howdah::inline v0
