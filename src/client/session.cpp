#include "client/session.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "client/answer_text.hpp"
#include "client/last_words.hpp"
#include "client/server_message.hpp"

namespace howdah::inline v0 {

namespace {

/// Tags of statements without rows that leave something in the session. SET and RESET inside a block count too, for nobody knows which
/// were LOCAL. CREATE of all kinds, for anything may be temporary; CREATE TABLE AS is answered with "SELECT".
bool leaves_traces(const char* tag) {
    constexpr std::array<std::string_view, 9> kTags{"SET",  "RESET",   "LISTEN",  "DECLARE CURSOR", "PREPARE",
                                                    "LOAD", "DISCARD", "CREATE ", "SELECT"};
    for (const std::string_view left : kTags) {
        if (std::strncmp(tag, left.data(), left.size()) == 0) return true;
    }
    return false;
}

/// Like no digest, all of which are odd.
constexpr std::uint32_t kOutdated = 2;

/// FNV-1a over the types of the parameters (Fowler, Noll, Vo); never 0.
std::uint32_t digest(const ParameterView& parameters) noexcept {
    std::uint32_t value = 2166136261U;
    for (int i = 0; i < parameters.count; ++i) value = (value ^ (parameters.types != nullptr ? parameters.types[i] : 0)) * 16777619U;
    return value | 1U;
}

}  // namespace

LinkEnd::~LinkEnd() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void LinkEnd::cut() const noexcept {
    if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

void ClearResult::operator()(pg_result* result) const noexcept { PQclear(result); }

Session::Session(Handle handle) : handle_(std::move(handle)), socket_(PQsocket(handle_.get())), endpoint_(describe(handle_.get())) {
    identity_.pid = PQbackendPID(handle_.get());
}

Result<void> Session::start(std::span<const Step> steps) {
    if (!handle_) return gone();
    if (state_ == State::busy) {
        return Error(
            Phase::send, Cause::usage,
            {"a statement is under way on this session already", {}, "use a lease or a transaction in one thread at a time", endpoint_});
    }
    PGconn* connection = handle_.get();
    error_.reset();
    answer_ = {};
    steps_ = static_cast<std::uint8_t>(steps.size());
    current_ = 0;
    failed_step_ = steps_;
    pipelined_ = steps.size() > 1;
    bool accepted = !pipelined_ || PQenterPipelineMode(connection) != 0;
    for (std::size_t i = 0; i < steps.size() && accepted; ++i) {
        const bool prepares = steps[i].kind == Step::Kind::prepare;
        sent_steps_[i] = {steps[i].part, prepares ? steps[i].statement : 0, prepares ? digest(steps[i].parameters) : 0};
        accepted = send(steps[i]);
    }
    if (accepted && pipelined_) accepted = PQpipelineSync(connection) != 0;
    if (!accepted) {
        const bool lost = PQstatus(connection) == CONNECTION_BAD;
        Error error(Phase::send, lost ? Cause::broken : Cause::usage, {one_line(PQerrorMessage(connection)), {}, {}, endpoint_});
        // A pipeline that was begun and not ended cannot be taken back.
        if (lost || pipelined_) close();
        return error;
    }
    state_ = State::busy;
    fresh_ = true;
    awaited_ = false;
    // What the kernel has taken whole may reach the server even if this link ends before anybody looks again.
    sent_ = PQflush(connection) == 0;
    return {};
}

ResultHandle Session::answer_at_once(const char* name, const ParameterView& parameters, Moment deadline, Moment now) {
    PGconn* const connection = handle_.get();
    if (connection == nullptr || state_ == State::busy || error_) return nullptr;
    const ParameterView& with = parameters;
    if (PQsendQueryPrepared(connection, name, with.count, with.values, with.lengths, with.formats, 0) == 0) return nullptr;
    sent_steps_[0] = {Step::Part::body, 0, 0};
    steps_ = failed_step_ = 1;
    current_ = 0;
    pipelined_ = false;
    state_ = State::busy;
    fresh_ = true;
    awaited_ = false;
    sent_ = PQflush(connection) == 0;
    if (!await_answer(deadline, now)) return nullptr;
    fresh_ = false;
    if (PQconsumeInput(connection) == 0) {
        broken();
        return nullptr;
    }
    if (PQisBusy(connection) != 0) return nullptr;
    PGresult* const answer = PQgetResult(connection);
    const bool rows = answer != nullptr && PQresultStatus(answer) == PGRES_TUPLES_OK && PQisBusy(connection) == 0;
    PGresult* const more = rows ? PQgetResult(connection) : nullptr;
    if (rows && more == nullptr) {
        state_ = State::idle;
        return ResultHandle(answer);
    }
    // A failure, a statement without rows, or an answer in parts: the machine takes them over.
    if (answer != nullptr && next_answer(answer) && more != nullptr) next_answer(more);
    collect();
    return nullptr;
}

bool Session::send(const Step& step) {
    PGconn* connection = handle_.get();
    const ParameterView& with = step.parameters;
    switch (step.kind) {
        case Step::Kind::text:
            return PQsendQueryParams(connection, step.sql, with.count, with.types, with.values, with.lengths, with.formats, 0) != 0;
        case Step::Kind::prepare: return PQsendPrepare(connection, step.name, step.sql, with.count, with.types) != 0;
        case Step::Kind::prepared:
            return PQsendQueryPrepared(connection, step.name, with.count, with.values, with.lengths, with.formats, 0) != 0;
    }
    return false;
}

std::optional<Need> Session::advance() {
    if (state_ != State::busy || !handle_) return std::nullopt;
    if (!std::exchange(fresh_, false)) {
        // Reading goes on while sending, so that two full buffers cannot wait for each other.
        const bool readable = PQconsumeInput(handle_.get()) != 0;
        const int unsent = sent_ ? 0 : PQflush(handle_.get());
        if (!readable || unsent < 0) {
            broken();
            return std::nullopt;
        }
        sent_ = unsent == 0;
        collect();
        if (state_ != State::busy) return std::nullopt;
    }
    return Need{socket_, static_cast<short>(sent_ ? POLLIN : POLLIN | POLLOUT), kNever};
}

void Session::collect() {
    int nothing = 0;
    while (state_ == State::busy && PQisBusy(handle_.get()) == 0) {
        PGresult* result = PQgetResult(handle_.get());
        if (result != nullptr) {
            nothing = 0;
            if (!next_answer(result)) return;
            continue;
        }
        ++current_;
        // In a pipeline "nothing" ends one statement; twice in a row it would never end, as when the link broke between two of them.
        if (!pipelined_) return finish();
        if (++nothing > 1) return broken();
    }
}

bool Session::next_answer(pg_result* result) {
    ResultHandle owned(result);
    switch (PQresultStatus(result)) {
        case PGRES_EMPTY_QUERY:
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK: note(std::move(owned)); return true;
        case PGRES_PIPELINE_ABORTED: return true;
        case PGRES_PIPELINE_SYNC: finish(); return false;
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            if (!error_) {
                error_ =
                    Error(Phase::receive, Cause::usage,
                          {"COPY needs a stream of its own; the connection was dropped", {}, "use COPY through psql or libpq", endpoint_});
            }
            close();
            state_ = State::done;
            return false;
        default: note_failure(result); return true;
    }
}

void Session::note(ResultHandle result) {
    const Sent sent = current_ < steps_ ? sent_steps_[current_] : Sent{};
    if (sent.statement != 0) {
        note_prepared(sent.statement, sent.types);
    } else if (sent.part == Step::Part::body) {
        if (PQresultStatus(result.get()) == PGRES_COMMAND_OK && leaves_traces(PQcmdStatus(result.get()))) {
            dirty_ = true;
            if (std::strcmp(PQcmdStatus(result.get()), "PREPARE") == 0) prepared_by_hand_ = true;
        }
        answer_.body = std::move(result);
    } else if (sent.part == Step::Part::after) {
        answer_.after = std::move(result);
    }
}

void Session::note_failure(const pg_result* result) {
    if (error_) return;
    error_ = refusal(result, endpoint_);
    failed_step_ = current_;
}

void Session::finish() {
    state_ = State::done;
    if (PQstatus(handle_.get()) == CONNECTION_BAD) return close();
    if (pipelined_ && PQexitPipelineMode(handle_.get()) == 0) {
        if (!error_) error_ = Error(Phase::receive, Cause::broken, {one_line(PQerrorMessage(handle_.get())), {}, {}, endpoint_});
        close();
    }
}

void Session::broken() {
    // Of the link, before the reading of the rest adds to it.
    const std::string seen = one_line(text_of(PQerrorMessage(handle_.get())));
    if (auto said = last_words(handle_.get(), endpoint_); said && !error_) {
        error_ = std::move(said);
        failed_step_ = current_;
    }
    if (!error_) {
        error_ = Error(sent_ ? Phase::receive : Phase::send, Cause::broken, {seen, {}, {}, endpoint_});
    }
    close();
    state_ = State::done;
}

Result<Reply> Session::take() {
    const bool finished = std::exchange(state_, State::idle) == State::done;
    if (error_) return *std::exchange(error_, std::nullopt);
    if (!finished) return gone();
    return std::move(answer_);
}

Error Session::given_up(Cause cause) const {
    const char* seen = cause == Cause::timed_out ? "no answer in time" : "stopped while the answer was awaited";
    return Error(sent_ ? Phase::receive : Phase::send, cause, {seen, {}, {}, endpoint_});
}

Error Session::not_sent(Cause cause) const {
    const char* seen =
        cause == Cause::timed_out ? "the deadline had passed before the statement was sent" : "stopped before the statement was sent";
    return Error(Phase::send, cause, {seen, {}, {}, endpoint_});
}

Error Session::gone() const { return Error(Phase::send, Cause::broken, {"the connection is gone", {}, {}, endpoint_}); }

Session::Life Session::look() {
    bool heard = false;
    // The end of the stream lies behind the server's last words.
    while (handle_ && state_ == State::idle && ready_now(PQsocket(handle_.get()), POLLIN)) {
        heard = true;
        if (PQconsumeInput(handle_.get()) == 0) close();
    }
    if (handle_ && PQstatus(handle_.get()) == CONNECTION_BAD) close();
    return !handle_ ? Life::gone : heard ? Life::heard : Life::silent;
}

bool Session::clean() const noexcept { return handle_ && !dirty_ && PQtransactionStatus(handle_.get()) == PQTRANS_IDLE; }

bool Session::in_transaction() const { return !handle_ || PQtransactionStatus(handle_.get()) != PQTRANS_IDLE; }

bool Session::writable() const {
    const auto is_off = [this](const char* setting) {
        const char* const value = handle_ ? PQparameterStatus(handle_.get(), setting) : nullptr;
        return value != nullptr && std::string_view(value) == "off";
    };
    return is_off("in_hot_standby") && is_off("default_transaction_read_only");
}

bool Session::failed() const { return handle_ && PQtransactionStatus(handle_.get()) == PQTRANS_INERROR; }

void Session::note_prepared(std::uint32_t statement, std::uint32_t types) {
    if (statement >= prepared_.size()) prepared_.resize(statement + 1);
    prepared_[statement] = types;
}

void Session::forget_prepared(std::uint32_t statement) noexcept {
    if (statement < prepared_.size()) prepared_[statement] = 0;
}

void Session::outdate_prepared(std::uint32_t statement) noexcept {
    if (statement < prepared_.size() && prepared_[statement] != 0) prepared_[statement] = kOutdated;
}

Session::Prepared Session::prepared(std::uint32_t statement, const ParameterView& parameters) const noexcept {
    if (statement >= prepared_.size() || prepared_[statement] == 0) return Prepared::no;
    return prepared_[statement] == digest(parameters) ? Prepared::yes : Prepared::otherwise;
}

std::shared_ptr<pg_cancel> Session::cancel_key() const {
    return handle_ ? std::shared_ptr<pg_cancel>(PQgetCancel(handle_.get()), &PQfreeCancel) : nullptr;
}

int Session::watch_end() const { return handle_ ? ::fcntl(PQsocket(handle_.get()), F_DUPFD_CLOEXEC, 0) : -1; }

void Session::close() noexcept { handle_.reset(); }

void Session::disown() noexcept {
    if (!handle_) return;
    // libpq says goodbye into the void: the number of the descriptor stays taken until it closes it.
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere >= 0) {
        ::dup2(nowhere, PQsocket(handle_.get()));
        ::close(nowhere);
        handle_.reset();
    } else {
        // Without a descriptor to spare the session is left to the end of this process: a goodbye would end the parent's.
        static_cast<void>(handle_.release());
    }
}

Wake drive(Session& session, Waiter& waiter, Moment deadline, Moment now) {
    for (bool first = true; auto need = session.advance(); first = false) {
        need->until = deadline;
        if (first && !waiter.stoppable() && session.await_answer(deadline, now)) continue;
        if (const Wake wake = waiter.wait(*need); wake != Wake::ready) return wake;
    }
    return Wake::ready;
}

}  // namespace howdah::inline v0
