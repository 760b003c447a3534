#include "client/endpoint/dialler.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <chrono>
#include <exception>
#include <utility>

namespace howdah::inline v0 {

namespace {

// The start time tells this server process from a later one with its number; identifier and timeline tell whose transaction numbers
// these are. Any role may ask (seen on 14 to 18).
constexpr const char* kWhoAmI =
    "SELECT (SELECT backend_start::text FROM pg_stat_get_activity(pg_backend_pid())),"
    " (SELECT system_identifier::text FROM pg_control_system()),"
    " CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END";

Error no_password(const std::string& why) {
    return Error(Phase::configure, Cause::refused, {"the password provider failed: " + why, {}, "look at what it asks", {}});
}

}  // namespace

SessionDial::SessionDial(const DialPlan& plan, Deadline deadline) : options_(plan.options), deadline_(deadline), identify_(plan.identify) {
    if (plan.faults) {
        if (auto error = plan.faults->next_dial()) {
            fail(std::move(*error));
            return;
        }
    }
    if (!plan.password) {
        begin_dial();
        return;
    }
    state_ = State::password;
    password_.emplace(
        [ask = plan.password]() -> Result<std::string> {
            try {
                return ask();
            } catch (const std::exception& failure) {
                return no_password(failure.what());
            } catch (...) {
                return no_password("it threw something unknown");
            }
        },
        no_password("no thread could be started for it"));
}

std::optional<Need> SessionDial::advance() {
    while (state_ != State::done) {
        if (state_ == State::password) {
            if (auto need = await_password()) return need;
        } else if (state_ == State::dial) {
            if (auto need = dial_->advance()) return need;
            begin_identify();
        } else {
            auto need = session_.advance();
            if (need && std::chrono::steady_clock::now() < deadline_) {
                need->until = deadline_;
                return need;
            }
            if (need) {
                give_up(Cause::timed_out);
            } else {
                end_identify();
            }
        }
    }
    return std::nullopt;
}

std::optional<Need> SessionDial::await_password() {
    auto answer = password_->answer();
    if (!answer && std::chrono::steady_clock::now() < deadline_) return Need{password_->descriptor(), POLLIN, deadline_};
    password_.reset();
    if (!answer) {
        fail(Error(Phase::configure, Cause::timed_out, {"the password provider did not answer in time", {}, "look at what it asks", {}}));
    } else if (!*answer) {
        fail(answer->error());
    } else {
        options_.overrides.emplace_back("password", **answer);
        begin_dial();
    }
    return std::nullopt;
}

void SessionDial::begin_dial() {
    dial_ = std::make_unique<Dial>(std::move(options_), deadline_);
    state_ = State::dial;
}

void SessionDial::begin_identify() {
    auto handle = dial_->take();
    keep_remains();
    const Moment dialled = std::exchange(dial_, nullptr)->attempt_begun();
    if (!handle) return fail(handle.error());
    login_ = trace_of(handle->get());
    login_.begun = dialled;
    login_.known = std::chrono::steady_clock::now();
    session_ = Session(std::move(*handle));
    if (!identify_) {
        state_ = State::done;
        return;
    }
    const Step ask{Step::Kind::text, Step::Part::body, kWhoAmI, nullptr, {}};
    state_ = State::identify;
    if (auto begun = session_.start({&ask, 1}); !begun) fail(begun.error());
}

void SessionDial::end_identify() {
    auto reply = session_.take();
    // A session that cannot even answer this is of no use to anybody; one that may not is.
    if (!reply && !session_.connected()) return fail(reply.error());
    state_ = State::done;
    if (!reply || PQntuples(reply->body.get()) != 1) return;
    const auto value = [&](int column) { return std::string(PQgetvalue(reply->body.get(), 0, column)); };
    session_.identify({session_.identity().pid, value(0), value(1), value(2)});
}

void SessionDial::abandon(Cause cause) {
    if (state_ != State::done) give_up(cause);
}

void SessionDial::give_up(Cause cause) {
    if (state_ == State::identify) return fail(session_.given_up(cause));
    if (state_ == State::dial) {
        dial_->abandon(cause);
        keep_remains();
        auto handle = dial_->take();
        dial_.reset();
        return fail(handle.error());
    }
    password_.reset();
    fail(Error(Phase::configure, cause, {"the password provider was not waited for any longer", {}, {}, {}}));
}

void SessionDial::keep_remains() {
    for (Remains& left : dial_->take_remains()) remains_.push_back(std::move(left));
}

void SessionDial::fail(Error error) {
    error_ = std::move(error);
    const int second = session_.watch_end();
    session_.close();
    if (state_ == State::identify) remains_.emplace_back(login_, second);
    state_ = State::done;
}

Result<Session> SessionDial::take() {
    if (error_) return *error_;
    return std::move(session_);
}

}  // namespace howdah::inline v0
