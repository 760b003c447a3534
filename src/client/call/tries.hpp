#pragma once

#include <optional>
#include <stop_token>
#include <string_view>

#include "client/call/client_state.hpp"
#include "client/policy/backoff.hpp"
#include "client/policy/random.hpp"
#include "howdah/classify.hpp"

namespace howdah::inline v0 {

/// The tries of one call: whether one more is made, when, and who is told. Used by the caller's thread.
class Tries {
public:
    Tries(ClientState& state, std::string_view tag, Moment deadline, unsigned most, const std::stop_token& stop, Moment begun);
    Tries(const Tries&) = delete;
    Tries& operator=(const Tries&) = delete;

    unsigned made() const noexcept { return made_; }
    bool first() const noexcept { return made_ == 1; }
    /// Whether what the table allows is done: by number, budget and deadline. Waits before it says yes. `ended` is the moment of the
    /// failure.
    bool again(Moment ended, const Error& error, const ClassRow& row, Retry retry);
    /// The call is over.
    void ended(Moment now, const Error* error) noexcept;

private:
    bool allowed(Moment now, const Error& error, Retry retry);
    bool wait(Moment now, Duration length);

    ClientState& state_;
    const std::string_view tag_;
    const Moment deadline_;
    const unsigned most_;
    const std::stop_token& stop_;
    const Moment begun_;
    unsigned made_ = 1;
    bool once_ = false;  ///< A kind of retry that is made once only was.
    std::optional<Random> random_;
    std::optional<Backoff> contention_;
    std::optional<Backoff> failure_;
    Duration wait_{};
};

/// Marks the thread as being inside a body for as long as it lives: calls made there are not repeated by themselves.
class InsideBody {
public:
    InsideBody() noexcept;
    ~InsideBody();
    static bool now() noexcept;
};

}  // namespace howdah::inline v0
