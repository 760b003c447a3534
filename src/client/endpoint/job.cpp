#include "client/endpoint/job.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace howdah::inline v0 {

namespace {

using std::chrono::milliseconds;

constexpr const char* kMarker = "SELECT 'howdah marker'";
/// Between two cancels of a statement that goes on.
constexpr Duration kCancelAgain = milliseconds(250);
/// Between two looks whether the backend waits for us as we wait for it; the way of an answer takes less.
constexpr Duration kLookWhetherIdle = milliseconds(250);
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

DialJob::DialJob(Endpoint& endpoint, ConnectionId connection, const DialPlan& plan, const AskMonitor& ask, Moment deadline)
    : Job(endpoint, connection), ask_(ask), dial_(plan, deadline) {}

std::optional<Need> DialJob::advance(Moment now) {
    if (parting_) return go_on_parting(now);
    if (auto need = dial_.advance()) return need;
    auto made = dial_.take();
    now = std::chrono::steady_clock::now();
    if (!made) {
        const bool nothing_left = !part(now);
        endpoint_.report(now, Endpoint::Report::dial_failed, connection_, nothing_left, &made.error());
        return nothing_left ? std::nullopt : go_on_parting(now);
    }
    // The other hosts', tried before this one: the place has its session now.
    for (const Remains& left : dial_.take_remains()) static_cast<void>(ask_(Inquiry::About::terminate, left.trace()));
    session() = std::move(*made);
    endpoint_.note_backend(connection_,
                           {session().identity(), session().cancel_key(), std::make_shared<const LinkEnd>(session().watch_end())});
    endpoint_.report(now, Endpoint::Report::dialled, connection_, true);
    return std::nullopt;
}

bool DialJob::part(Moment now) {
    parting_ = true;
    for (Remains& left : dial_.take_remains())
        farewells_.push_back(std::make_unique<Farewell>(left.trace(), left.take_descriptor(), ask_, now));
    return !farewells_.empty();
}

std::optional<Need> DialJob::go_on_parting(Moment now) {
    std::optional<Need> first;
    for (std::size_t i = 0; i < farewells_.size();) {
        if (auto need = farewells_[i]->advance(now, endpoint_.closing())) {
            if (!first || need->until < first->until) first = need;
            ++i;
        } else {
            farewells_.erase(farewells_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    if (!first) endpoint_.report(now, Endpoint::Report::closed, connection_, true);
    return first;
}

bool DialJob::end(Moment now) {
    if (parting_) return true;
    dial_.abandon(Cause::cancelled);
    return part(now);
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

DrainJob::DrainJob(Endpoint& endpoint, ConnectionId connection, const AskMonitor& ask, Moment now)
    : Job(endpoint, connection), ask_(ask), look_again_(after(now, kLookWhetherIdle)) {
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
            if (deaf(now)) break;
            // A cancel that comes before the server has read the statement hits nothing.
            if (!marker_ && now >= cancel_again_ && cancel_settled() && !cancel_astray()) cancel(now);
            need->until = std::min({need->until, marker_ ? kNever : std::max(cancel_again_, after(now, kLookForAnswer)),
                                    idle_ ? after(now, kLookForAnswer) : std::max(look_again_, after(now, kLookForAnswer))});
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

bool DrainJob::deaf(Moment now) {
    if (idle_) {
        const auto answer = idle_->told().answer;
        if (answer == Inquiry::Answer::waiting) return false;
        seen_idle_ = answer == Inquiry::Answer::yes ? seen_idle_ + 1 : 0;
        idle_.reset();
        look_again_ = after(now, kLookWhetherIdle);
        return seen_idle_ >= 2;
    }
    if (now < look_again_ || session().identity().backend_start.empty()) return false;
    idle_ = ask_(Inquiry::About::is_idle, session().identity());
    look_again_ = after(now, kLookWhetherIdle);
    return false;
}

void DrainJob::begin_marker() {
    look_again_ = after(std::chrono::steady_clock::now(), kLookWhetherIdle);
    seen_idle_ = 0;
    idle_.reset();
    marker_ = true;
    clean_marker_ = true;
    const std::array<Step, 2> in_failed_block{quiet("ROLLBACK"), statement(kMarker)};
    const std::span<const Step> steps = std::span(in_failed_block).subspan(session().in_transaction() ? 0 : 1);
    if (!session().start(steps)) session().close();
}

GoodbyeJob::GoodbyeJob(Endpoint& endpoint, ConnectionId connection, const AskMonitor& ask, Moment now) : Job(endpoint, connection) {
    const int watched = session().watch_end();
    const Identity backend = session().identity();
    session() = Session();
    // The server sees the end of the stream only when the last descriptor of it goes.
    endpoint_.note_backend(connection_, {});
    farewell_.emplace(backend, watched, ask, now);
}

std::optional<Need> GoodbyeJob::advance(Moment now) {
    if (auto need = farewell_->advance(now, endpoint_.closing())) return need;
    endpoint_.report(now, Endpoint::Report::closed, connection_, true);
    return std::nullopt;
}

}  // namespace howdah::inline v0
