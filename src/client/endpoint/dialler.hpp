#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/asked.hpp"
#include "client/dial.hpp"
#include "client/session.hpp"
#include "howdah/testing.hpp"

namespace howdah::inline v0 {

/// How the sessions of an endpoint are made.
struct DialPlan {
    DialOptions options;
    /// Asked at each dial on a thread of its own, for passwords and tokens that change; empty when the connection string has it all.
    std::function<Result<std::string>()> password;
    std::shared_ptr<testing::Faults> faults{};  ///< Null but in tests.
    bool identify = true;  ///< Ask the new session who it is; not behind a pooler, where the answer would be another's.
};

/// One session in the making, as a non-blocking machine: password, dialling, and who the server is.
class SessionDial {
public:
    SessionDial(const DialPlan& plan, Deadline deadline);

    /// What to wait for; none when the session can be taken.
    std::optional<Need> advance();
    Result<Session> take();
    /// Gives up now; take() then tells this cause.
    void abandon(Cause cause);
    /// Logins that came to nothing and may have left a backend on the server. Once.
    std::vector<Remains> take_remains() { return std::exchange(remains_, {}); }

private:
    enum class State : std::uint8_t { password, dial, identify, done };
    std::optional<Need> await_password();
    void begin_dial();
    void begin_identify();
    void end_identify();
    void give_up(Cause cause);
    void keep_remains();
    void fail(Error error);

    DialOptions options_;
    const Deadline deadline_;
    const bool identify_;
    State state_ = State::done;
    std::optional<Asked<Result<std::string>>> password_;
    std::unique_ptr<Dial> dial_;
    Session session_;
    Trace login_;  ///< Of the session while it is asked who it is.
    std::vector<Remains> remains_;
    std::optional<Error> error_;
};

}  // namespace howdah::inline v0
