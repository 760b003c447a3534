#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "client/expendable.hpp"

namespace howdah::inline v0 {

/// Tells whoever polls its descriptor that something is there. Thread-safe.
class Bell {
public:
    Bell();
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    /// Readable from ring() to quieten(); -1 when no descriptor was to be had.
    int descriptor() const noexcept { return descriptor_; }
    void ring() const noexcept;
    void quieten() const noexcept;

private:
    int descriptor_;
};

/// A question that may block for ever, asked on an expendable thread. Dropping it leaves the thread to end whenever the answer comes.
template <typename T>
class Asked {
public:
    /// `question` must not throw; `instead` is the answer when no thread or descriptor is to be had.
    Asked(std::function<T()> question, T instead) : state_(std::make_shared<State>()) {
        const bool started =
            state_->bell.descriptor() >= 0 && run_expendable([state = state_, question = std::move(question)] { state->give(question()); });
        if (!started) state_->give(std::move(instead));
    }
    /// Becomes readable once the answer is there.
    int descriptor() const noexcept { return state_->bell.descriptor(); }
    std::optional<T> answer() const {
        const std::lock_guard lock(state_->mutex);
        return state_->answer;
    }

private:
    struct State {
        void give(T value) {
            {
                const std::lock_guard lock(mutex);
                answer = std::move(value);
            }
            bell.ring();
        }
        const Bell bell;
        std::mutex mutex;
        std::optional<T> answer;
    };
    std::shared_ptr<State> state_;
};

}  // namespace howdah::inline v0
