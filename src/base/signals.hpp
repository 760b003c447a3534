#pragma once

#include <memory>

#include "base/cancellation.hpp"

namespace howdah::base {

/// Routes SIGINT, SIGTERM and SIGHUP to a cancellation: the first asks every worker to stop and the operation undoes or leaves
/// resumable what it did; a second one ends the process at once. One that was ignored when we started (nohup) stays ignored. SIGPIPE is
/// ignored. System calls are restarted (SA_RESTART). One per process, made by main's thread before others exist; its end restores what
/// was before, so that the program can then die by the signal received, as shells expect: `raise(SignalScope::received())`.
class SignalScope {
public:
    explicit SignalScope(Cancellation& cancellation);
    ~SignalScope();
    SignalScope(const SignalScope&) = delete;
    SignalScope& operator=(const SignalScope&) = delete;

    /// The first signal received in this or the last scope, 0 for none.
    static int received();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace howdah::base
