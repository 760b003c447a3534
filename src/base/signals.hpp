#pragma once

#include "base/cancellation.hpp"

namespace howdah::base {

/// Routes SIGINT, SIGTERM and SIGHUP's default to a cancellation: the first asks every worker to stop and the operation undoes or
/// leaves resumable what it did; a second one ends the process at once. SIGPIPE is ignored. One per process, made by main's thread
/// before others exist.
class SignalScope {
public:
    explicit SignalScope(Cancellation& cancellation);
    ~SignalScope();
    SignalScope(const SignalScope&) = delete;
    SignalScope& operator=(const SignalScope&) = delete;

    /// The signal received, 0 for none.
    static int received();
};

}  // namespace howdah::base
