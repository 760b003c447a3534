#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/conninfo.hpp"
#include "client/resolve.hpp"
#include "client/wait.hpp"
#include "howdah/result.hpp"

struct pg_conn;

namespace howdah::inline v0 {

struct CloseHandle {
    void operator()(pg_conn* handle) const noexcept;
};
/// libpq's connection, closed with its owner; in non-blocking mode, so that closing never waits.
using Handle = std::unique_ptr<pg_conn, CloseHandle>;

struct DialOptions {
    std::string conninfo;  ///< libpq's forms: key=value, URI, or a bare database name.
    Keywords overrides;    ///< libpq keywords that win over the string.
    Keywords settings;     ///< Server settings sent with the start-up packet, after the string's own `options`.
    Resolver resolver = resolve_by_system;
};

/// Dials as a non-blocking machine: look-up, connection, TLS and login of each address in turn under one deadline. libpq's rules for
/// several hosts hold: the next address is tried unless the server refused the login (57P03, "not yet", goes on), target_session_attrs
/// decides which server will do, "prefer-standby" makes a second round. A silent address takes only its share of the time: what is
/// left, divided by the addresses left, and never more than the string's connect_timeout. Used by one thread.
class Dial {
public:
    Dial(DialOptions options, Deadline deadline);
    Dial(const Dial&) = delete;
    Dial& operator=(const Dial&) = delete;

    /// Goes on without waiting. What to wait for before the next call; none when the result can be taken.
    std::optional<Need> advance();
    /// Once, after advance() gave none.
    Result<Handle> take();
    /// Gives up now; take() then tells the phase reached and this cause.
    void abandon(Cause cause);

private:
    enum class State { host, lookup, address, polling, done };

    std::optional<Need> step(Deadline now);
    void begin_round(const std::string& attributes);
    void next_host(Deadline now);
    std::optional<Need> await_lookup(Deadline now);
    void next_address(Deadline now);
    std::optional<Need> poll_server(Deadline now);
    void connection_failed();
    void attempt_failed(Error error);
    void finish();
    Deadline share(Deadline now, Deadline until, std::size_t parts) const;
    std::string endpoint() const;

    const DialOptions options_;
    const Deadline deadline_;
    Conninfo conninfo_;
    std::string attributes_;  ///< target_session_attrs of this round.
    bool last_round_ = true;
    State state_ = State::host;
    Phase phase_ = Phase::configure;
    std::size_t host_ = 0;
    Deadline host_until_ = kNoDeadline;
    std::optional<Lookup> lookup_;
    std::vector<std::string> addresses_;  ///< Of the present host; an empty one for a socket folder.
    std::size_t address_ = 0;
    Deadline address_until_ = kNoDeadline;
    Handle handle_;
    short events_ = 0;
    std::vector<Error> errors_;
};

}  // namespace howdah::inline v0
