#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "client/dial.hpp"
#include "client/row_set.hpp"
#include "client/wait.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// A value for $1, $2, ... in text form; none is NULL.
using TextParameter = std::optional<std::string>;

/// One connection to a server. Each call is a non-blocking machine (start_..., advance, take) and a blocking form that drives it.
/// When a deadline passes or a stop token is triggered during a statement, the server is asked to cancel it and the connection is
/// dropped: nothing can arrive late, and whether the statement took effect is unknown. Used by one thread at a time.
class Connection {
public:
    static Result<Connection> dial(DialOptions options, Deadline deadline, std::stop_token stop = {});
    explicit Connection(Handle handle);

    /// One statement with parameters (extended protocol).
    Result<RowSet> execute(const std::string& sql, std::span<const TextParameter> parameters, Deadline deadline, std::stop_token stop = {});
    /// Statements separated by semicolons (simple protocol, one implicit transaction); the last one's answer. The only form a
    /// replication connection takes.
    Result<RowSet> execute_simple(const std::string& sql, Deadline deadline, std::stop_token stop = {});
    /// COPY ... FROM STDIN with the whole data at once.
    Result<RowSet> copy_in(const std::string& sql, std::string_view data, Deadline deadline, std::stop_token stop = {});

    /// The machine: begin one request. An error means that nothing is under way. `data` must live until take().
    Result<void> start(const std::string& sql, std::span<const TextParameter> parameters);
    Result<void> start_simple(const std::string& sql, std::optional<std::string_view> data = std::nullopt);
    /// Goes on without waiting. What to wait for before the next call; none when the answer can be taken.
    std::optional<Need> advance();
    /// The answer of the finished request; of several failures the first.
    Result<RowSet> take();
    /// Asks the server to cancel what runs, on an expendable thread, and drops the connection. The error says how far it had come.
    Error abandon(Cause cause);

    /// Whether the connection was usable when last looked at; looks for an end of the stream that has arrived meanwhile.
    bool alive();
    /// 150018 for 15.18; 0 when the connection is gone. Likewise the server process's id.
    int server_version() const;
    int backend_pid() const;
    /// "host db (10.0.0.7), port 5432"; kept after the connection is gone.
    const std::string& endpoint() const { return endpoint_; }
    const std::string& database() const { return database_; }
    const std::string& user() const { return user_; }
    /// Quoted for this connection's encoding; none when the text is not valid in it or the connection is gone.
    std::optional<std::string> quote_identifier(std::string_view name) const;
    std::optional<std::string> quote_literal(std::string_view text) const;
    /// libpq's own connection, still owned here; null when it is gone.
    pg_conn* native_handle() { return handle_.get(); }

private:
    enum class State { idle, busy, done };

    Result<RowSet> drive(Deadline deadline, const std::stop_token& stop);
    Result<void> started(int accepted);
    void collect();
    void feed();
    void note(Error error);
    void broken();
    Error gone() const;

    Handle handle_;
    std::string endpoint_, database_, user_;
    State state_ = State::idle;
    std::optional<std::string_view> data_;  ///< What a COPY still has to send; none when the request brought no data.
    bool sent_ = false;                     ///< The statement is wholly with the kernel.
    bool copying_ = false;
    RowSet rows_;
    std::optional<Error> error_;
};

}  // namespace howdah::inline v0
