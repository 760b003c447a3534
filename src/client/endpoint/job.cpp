#include "client/endpoint/job.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

namespace howdah::inline v0 {

namespace {

using std::chrono::milliseconds;

constexpr const char* kMarker = "SELECT 'howdah marker'";
/// How long the end of a session is awaited that the server does not tell, before it is terminated and after.
constexpr Duration kLongGoodbye = std::chrono::seconds(2);
/// The same while there is no monitor to ask: a server whose links were cut needs a moment to notice.
constexpr Duration kShortGoodbye = milliseconds(250);
/// Between two cancels of a statement that goes on.
constexpr Duration kCancelAgain = milliseconds(250);
/// Between two looks whether a backend is gone whose link is.
constexpr Duration kLookAgain = milliseconds(20);
/// Between two looks for an answer that comes from another thread.
constexpr Duration kLookForAnswer = milliseconds(2);

Step statement(const char* sql) { return {Step::Kind::text, Step::Part::body, sql, nullptr, {}}; }

Step quiet(const char* sql) { return {Step::Kind::text, Step::Part::before, sql, nullptr, {}}; }

}  // namespace

Asked<bool> plain_cancel(std::shared_ptr<pg_cancel> key) {
    return Asked<bool>(
        [key = std::move(key)] {
            std::array<char, 256> message{};
            return PQcancel(key.get(), message.data(), static_cast<int>(message.size())) != 0;
        },
        false);
}

DialJob::DialJob(Endpoint& endpoint, ConnectionId connection, const DialPlan& plan, Moment deadline)
    : Job(endpoint, connection), dial_(plan, deadline) {}

std::optional<Need> DialJob::advance(Moment) {
    if (auto need = dial_.advance()) return need;
    auto made = dial_.take();
    const Moment now = std::chrono::steady_clock::now();
    if (!made) {
        endpoint_.report(now, Endpoint::Report::dial_failed, connection_, false, &made.error());
        return std::nullopt;
    }
    session() = std::move(*made);
    endpoint_.note_backend(connection_,
                           {session().identity(), session().cancel_key(), std::make_shared<const LinkEnd>(session().watch_end())});
    endpoint_.report(now, Endpoint::Report::dialled, connection_, true);
    return std::nullopt;
}

ResetJob::ResetJob(Endpoint& endpoint, ConnectionId connection) : Job(endpoint, connection) {}

std::optional<Need> ResetJob::advance(Moment) {
    if (!begun_) {
        begun_ = true;
        // What DISCARD ALL does but for the prepared statements, which are worth keeping.
        const std::array<Step, 9> all{
            quiet("ROLLBACK"),      quiet("SET SESSION AUTHORIZATION DEFAULT"), quiet("RESET ALL"),    quiet("CLOSE ALL"),
            quiet("UNLISTEN *"),    quiet("SELECT pg_advisory_unlock_all()"),   quiet("DISCARD TEMP"), quiet("DISCARD SEQUENCES"),
            quiet("DEALLOCATE ALL")};
        const std::size_t count = session().prepared_by_hand() ? all.size() : all.size() - 1;
        const std::span<const Step> steps = std::span(all).first(count).subspan(session().in_transaction() ? 0 : 1);
        if (!session().start(steps)) {
            endpoint_.report(std::chrono::steady_clock::now(), Endpoint::Report::reset_done, connection_, false);
            return std::nullopt;
        }
    }
    if (auto need = session().advance()) return need;
    const bool clean = session().take().has_value() && session().connected() && !session().in_transaction();
    session().mark(false);
    if (session().prepared_by_hand()) session().forget_all_prepared();
    endpoint_.report(std::chrono::steady_clock::now(), Endpoint::Report::reset_done, connection_, clean);
    return std::nullopt;
}

DrainJob::DrainJob(Endpoint& endpoint, ConnectionId connection, const Ask& ask, Moment now) : Job(endpoint, connection), ask_(ask) {
    if (session().busy() && !session().keep_running()) cancel(now);
}

void DrainJob::cancel(Moment now) {
    cancel_again_ = after(now, kCancelAgain);
    cancel_.reset();
    plain_.reset();
    if (!session().identity().backend_start.empty()) cancel_ = ask_(Inquiry::About::cancel, session().identity());
    if (cancel_) return;
    if (auto key = session().cancel_key()) plain_.emplace(plain_cancel(std::move(key)));
}

bool DrainJob::cancel_settled() const {
    if (plain_) return plain_->answer().has_value();
    return !cancel_ || cancel_->told().answer != Inquiry::Answer::waiting;
}

bool DrainJob::cancel_astray() const {
    if (plain_) return !plain_->answer().value_or(false);
    return cancel_ && cancel_->told().answer == Inquiry::Answer::lost;
}

std::optional<Need> DrainJob::advance(Moment now) {
    while (session().connected()) {
        if (auto need = session().advance()) {
            // A cancel that comes before the server has read the statement hits nothing.
            if (!marker_ && now >= cancel_again_ && cancel_settled() && !cancel_astray()) cancel(now);
            need->until = std::min(need->until, marker_ ? kNever : std::max(cancel_again_, after(now, kLookForAnswer)));
            return need;
        }
        auto reply = session().take();
        const bool clean = marker_ && clean_marker_ && reply && PQntuples(reply->body.get()) == 1;
        if (clean) {
            session().set_keep_running(false);
            endpoint_.report(std::chrono::steady_clock::now(), Endpoint::Report::drained, connection_, true);
            return std::nullopt;
        }
        if (!session().connected()) break;
        // A marker sent before the signal was proves nothing: the signal may still hit the next statement.
        if (!cancel_settled()) {
            if (plain_) return Need{plain_->descriptor(), POLLIN, kNever};
            return Need{-1, 0, after(now, kLookForAnswer)};
        }
        if (cancel_astray()) break;
        begin_marker();
    }
    endpoint_.report(std::chrono::steady_clock::now(), Endpoint::Report::drained, connection_, false);
    return std::nullopt;
}

void DrainJob::begin_marker() {
    marker_ = true;
    clean_marker_ = true;
    const std::array<Step, 2> in_failed_block{quiet("ROLLBACK"), statement(kMarker)};
    const std::span<const Step> steps = std::span(in_failed_block).subspan(session().in_transaction() ? 0 : 1);
    if (!session().start(steps)) session().close();
}

GoodbyeJob::GoodbyeJob(Endpoint& endpoint, ConnectionId connection, const DrainJob::Ask& ask, Moment now)
    : Job(endpoint, connection), ask_(ask), backend_(session().identity()), begun_(now), ask_again_(now) {
    watched_ = session().watch_end();
    session() = Session();
    // The server sees the end of the stream only when the last descriptor of it goes.
    endpoint_.note_backend(connection_, {});
}

GoodbyeJob::~GoodbyeJob() {
    if (watched_ >= 0) ::close(watched_);
}

std::optional<Need> GoodbyeJob::advance(Moment now) {
    if (!over(now)) {
        const bool watching = watched_ >= 0 && now < after(begun_, kLongGoodbye);
        return watching ? Need{watched_, POLLIN, after(begun_, kLongGoodbye)} : Need{-1, 0, ask_again_};
    }
    endpoint_.report(now, Endpoint::Report::closed, connection_, true);
    return std::nullopt;
}

bool GoodbyeJob::over(Moment now) {
    if (watched_ >= 0 && ended()) return true;
    if (watched_ >= 0 && now < after(begun_, kLongGoodbye)) return false;
    if (backend_.backend_start.empty() || gone(now)) return true;
    const bool silent_link = watched_ >= 0;
    // Who closes does not wait for what only a later session could mind.
    const Duration most = endpoint_.closing() ? kLongGoodbye : 2 * kLongGoodbye;
    const bool give_up = now >= after(begun_, most) || (!silent_link && !asked_ && now >= after(begun_, kShortGoodbye));
    // Nobody knows whether it is still there, so the monitor ends it as soon as it can.
    if (give_up) static_cast<void>(ask_(Inquiry::About::terminate, backend_));
    return give_up;
}

bool GoodbyeJob::ended() const {
    std::array<char, 4096> rest;
    while (true) {
        const ssize_t count = ::recv(watched_, rest.data(), rest.size(), MSG_DONTWAIT);
        if (count > 0) continue;
        return !(count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
    }
}

bool GoodbyeJob::gone(Moment now) {
    if (asked_) {
        const auto answer = asked_->told().answer;
        ask_again_ = after(now, kLookForAnswer);
        if (answer == Inquiry::Answer::waiting) return false;
        if (answer == Inquiry::Answer::yes && asked_->about() == Inquiry::About::is_gone) return true;
        asked_.reset();
        ask_again_ = after(now, kLookAgain);
        return false;
    }
    if (now < ask_again_) return false;
    const bool terminate = !terminated_ && now >= after(begun_, kLongGoodbye);
    asked_ = ask_(terminate ? Inquiry::About::terminate : Inquiry::About::is_gone, backend_);
    terminated_ = terminated_ || (terminate && asked_);
    ask_again_ = after(now, asked_ ? kLookForAnswer : kLookAgain);
    return false;
}

}  // namespace howdah::inline v0
