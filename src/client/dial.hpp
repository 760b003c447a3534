#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
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

/// What is known of a backend whose login was given up before the server had said who it is.
struct Trace {
    int pid = 0;          ///< 0 when the server had not told it.
    std::string address;  ///< This end of the link, as the server sees it where nothing in between rewrites it; empty for a socket folder.
    int port = 0;
    std::string peer;  ///< The other end, in the kernel's form: the same for every link to the same server.
    Deadline begun{};  ///< The backend started after this and, where its number is known, before `known`; else before the dial ended.
    Deadline known{};

    /// Whether there is anything to find it by.
    bool leads_somewhere() const noexcept { return pid != 0 || !address.empty(); }
};
/// Of a link that libpq has: both ends, and the backend's number once the login is through.
Trace trace_of(pg_conn* handle);

/// What a login that was given up may have left on the server: a backend that nobody will use. Owns the link's last descriptor, over
/// which this end has said its last word.
class Remains {
public:
    /// Takes over a second descriptor of the socket whose first libpq has closed; -1 where the link broke.
    Remains(Trace trace, int descriptor);
    Remains(Remains&& other) noexcept;
    Remains& operator=(Remains&&) = delete;
    ~Remains();

    const Trace& trace() const noexcept { return trace_; }
    /// The caller's from now on; -1 when the link broke.
    int take_descriptor() noexcept { return std::exchange(descriptor_, -1); }

private:
    Trace trace_;
    int descriptor_ = -1;
};

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
    /// When the attempt began that take() gives the connection of.
    Deadline attempt_begun() const noexcept { return attempt_begun_; }
    /// Logins that were given up and not refused by the server. Once.
    std::vector<Remains> take_remains() { return std::exchange(remains_, {}); }

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
    void end_attempt(bool refused);
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
    Deadline attempt_begun_{};
    std::optional<Trace> login_;  ///< Of the present attempt, once its start-up packet is on its way.
    std::vector<Remains> remains_;
    std::vector<Error> errors_;
};

}  // namespace howdah::inline v0
