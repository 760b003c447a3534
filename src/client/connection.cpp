#include "client/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <memory>
#include <utility>

#include "client/answer_text.hpp"
#include "client/expendable.hpp"
#include "client/last_words.hpp"
#include "client/server_message.hpp"

namespace howdah::inline v0 {

namespace {

/// libpq copies what it is given to send; pieces keep that copy small.
constexpr std::size_t kCopyPiece = 256 * 1024;

std::optional<std::string> taken(char* quoted) {
    if (quoted == nullptr) return std::nullopt;
    const std::unique_ptr<char, decltype(&PQfreemem)> owner(quoted, &PQfreemem);
    return std::string(quoted);
}

}  // namespace

Result<Connection> Connection::dial(DialOptions options, Deadline deadline, std::stop_token stop) {
    Waiter waiter(std::move(stop));
    Dial dial(std::move(options), deadline);
    while (const auto need = dial.advance()) {
        if (waiter.wait(*need) == Wake::stopped) dial.abandon(Cause::cancelled);
    }
    auto handle = dial.take();
    if (!handle) return handle.error();
    return Connection(std::move(*handle));
}

Connection::Connection(Handle handle)
    : handle_(std::move(handle)),
      endpoint_(describe(handle_.get())),
      database_(text_of(PQdb(handle_.get()))),
      user_(text_of(PQuser(handle_.get()))) {}

Result<RowSet> Connection::execute(const std::string& sql, std::span<const TextParameter> parameters, Deadline deadline,
                                   std::stop_token stop) {
    if (auto begun = start(sql, parameters); !begun) return begun.error();
    return drive(deadline, stop);
}

Result<RowSet> Connection::execute_simple(const std::string& sql, Deadline deadline, std::stop_token stop) {
    if (auto begun = start_simple(sql); !begun) return begun.error();
    return drive(deadline, stop);
}

Result<RowSet> Connection::copy_in(const std::string& sql, std::string_view data, Deadline deadline, std::stop_token stop) {
    if (auto begun = start_simple(sql, data); !begun) return begun.error();
    return drive(deadline, stop);
}

Result<RowSet> Connection::drive(Deadline deadline, const std::stop_token& stop) {
    Waiter waiter(stop);
    while (auto need = advance()) {
        need->until = deadline;
        const Wake wake = waiter.wait(*need);
        if (wake != Wake::ready) return abandon(wake == Wake::late ? Cause::timed_out : Cause::cancelled);
    }
    return take();
}

Result<void> Connection::start(const std::string& sql, std::span<const TextParameter> parameters) {
    if (!handle_) return gone();
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
    data_.reset();
    return started(
        PQsendQueryParams(handle_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0));
}

Result<void> Connection::start_simple(const std::string& sql, std::optional<std::string_view> data) {
    if (!handle_) return gone();
    data_ = data;
    return started(PQsendQuery(handle_.get(), sql.c_str()));
}

Result<void> Connection::started(int accepted) {
    if (accepted == 0) {
        const bool lost = PQstatus(handle_.get()) == CONNECTION_BAD;
        Error error(Phase::send, lost ? Cause::broken : Cause::usage, {one_line(PQerrorMessage(handle_.get())), {}, {}, endpoint_});
        if (lost) handle_.reset();
        return error;
    }
    state_ = State::busy;
    // What the kernel has taken whole may reach the server even if this link ends before anybody looks again.
    sent_ = PQflush(handle_.get()) == 0;
    copying_ = false;
    rows_ = RowSet();
    error_.reset();
    return {};
}

std::optional<Need> Connection::advance() {
    while (handle_ && state_ == State::busy) {
        // Reading goes on while sending, so that two full buffers cannot wait for each other.
        const bool readable = PQconsumeInput(handle_.get()) != 0;
        const int unsent = PQflush(handle_.get());
        if (!readable || unsent < 0) {
            broken();
        } else if (unsent > 0) {
            return Need{PQsocket(handle_.get()), POLLIN | POLLOUT, kNoDeadline};
        } else if (copying_) {
            feed();
        } else {
            sent_ = true;
            collect();
            if (handle_ && state_ == State::busy && !copying_) return Need{PQsocket(handle_.get()), POLLIN, kNoDeadline};
        }
    }
    return std::nullopt;
}

void Connection::feed() {
    const std::string_view piece = data_ ? data_->substr(0, kCopyPiece) : std::string_view();
    if (piece.empty()) {
        if (PQputCopyEnd(handle_.get(), data_ ? nullptr : "no data was given for this COPY") < 0) return broken();
        copying_ = false;
        return;
    }
    if (PQputCopyData(handle_.get(), piece.data(), static_cast<int>(piece.size())) < 0) return broken();
    data_->remove_prefix(piece.size());
}

void Connection::collect() {
    while (PQisBusy(handle_.get()) == 0) {
        const std::shared_ptr<PGresult> result(PQgetResult(handle_.get()), &PQclear);
        if (!result) {
            state_ = State::done;
            if (PQstatus(handle_.get()) == CONNECTION_BAD) handle_.reset();
            return;
        }
        switch (PQresultStatus(result.get())) {
            case PGRES_EMPTY_QUERY:
            case PGRES_COMMAND_OK:
            case PGRES_TUPLES_OK: rows_ = RowSet(result); break;
            case PGRES_COPY_IN: copying_ = true; return;
            case PGRES_COPY_OUT:
            case PGRES_COPY_BOTH:
                note(Error(Phase::receive, Cause::usage,
                           {"a stream came where rows were awaited; the connection was dropped", {}, {}, endpoint_}));
                handle_.reset();
                state_ = State::done;
                return;
            default: note(refusal(result.get(), endpoint_)); break;
        }
    }
}

void Connection::broken() {
    // Of the link, before the reading of the rest adds to it.
    const std::string seen = one_line(text_of(PQerrorMessage(handle_.get())));
    if (const auto said = last_words(handle_.get(), endpoint_)) note(*said);
    note(Error(sent_ ? Phase::receive : Phase::send, Cause::broken, {seen, {}, {}, endpoint_}));
    handle_.reset();
    state_ = State::done;
}

void Connection::note(Error error) {
    if (!error_) error_ = std::move(error);
}

Result<RowSet> Connection::take() {
    const bool finished = std::exchange(state_, State::idle) == State::done;
    if (error_) return *std::exchange(error_, std::nullopt);
    if (!finished) return gone();
    return std::exchange(rows_, RowSet());
}

Error Connection::abandon(Cause cause) {
    if (handle_ && state_ == State::busy) {
        // The cancel key is copied out of the connection, which can be closed while the request is on its way.
        const std::shared_ptr<PGcancel> key(PQgetCancel(handle_.get()), &PQfreeCancel);
        if (key) {
            run_expendable([key] {
                std::array<char, 256> message{};
                PQcancel(key.get(), message.data(), static_cast<int>(message.size()));
            });
        }
    }
    handle_.reset();
    state_ = State::idle;
    const char* seen = cause == Cause::timed_out ? "no answer in time; the statement was cancelled and the connection dropped"
                                                 : "stopped; the statement was cancelled and the connection dropped";
    return Error(sent_ ? Phase::receive : Phase::send, cause, {seen, {}, {}, endpoint_});
}

Error Connection::gone() const { return Error(Phase::send, Cause::broken, {"the connection is gone", {}, {}, endpoint_}); }

bool Connection::alive() {
    if (handle_ && state_ == State::idle && ready_now(PQsocket(handle_.get()), POLLIN) && PQconsumeInput(handle_.get()) == 0)
        handle_.reset();
    if (handle_ && PQstatus(handle_.get()) == CONNECTION_BAD) handle_.reset();
    return handle_ != nullptr;
}

int Connection::server_version() const { return handle_ ? PQserverVersion(handle_.get()) : 0; }

int Connection::backend_pid() const { return handle_ ? PQbackendPID(handle_.get()) : 0; }

std::optional<std::string> Connection::quote_identifier(std::string_view name) const {
    return handle_ ? taken(PQescapeIdentifier(handle_.get(), name.data(), name.size())) : std::nullopt;
}

std::optional<std::string> Connection::quote_literal(std::string_view text) const {
    return handle_ ? taken(PQescapeLiteral(handle_.get(), text.data(), text.size())) : std::nullopt;
}

}  // namespace howdah::inline v0
