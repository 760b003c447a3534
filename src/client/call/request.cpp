#include "client/call/request.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "howdah/testing.hpp"

namespace howdah::inline v0 {

namespace {

using testing::Fault;

Result<Reply> end(Session& session, Wake wake) {
    if (wake != Wake::ready) return session.given_up(wake == Wake::late ? Cause::timed_out : Cause::cancelled);
    return session.take();
}

Result<Reply> send(Session& session, std::span<const Step> steps, Moment now, Moment deadline, const std::stop_token& stop) {
    if (auto begun = session.start(steps); !begun) return begun.error();
    return await(session, now, deadline, stop);
}

/// Where a fault may strike; none for what the library sends of its own, such as ROLLBACK.
std::optional<Fault::At> place(std::span<const Step> steps) {
    const auto body = std::find_if(steps.begin(), steps.end(), [](const Step& step) { return step.part == Step::Part::body; });
    if (body == steps.end()) return std::nullopt;
    const std::string_view sql(body->sql);
    if (sql == "ROLLBACK") return std::nullopt;
    return sql == "COMMIT" ? Fault::At::commit : Fault::At::statement;
}

void cut(Session& session) {
    if (pg_conn* const handle = session.native_handle()) ::shutdown(PQsocket(handle), SHUT_RDWR);
}

/// Waits until the answer is here, and throws it away.
Wake lose_answer(Session& session, Waiter& waiter, Moment deadline) {
    while (session.connected() && !session.sent()) {
        auto need = session.advance();
        if (!need) return Wake::ready;
        need->until = deadline;
        if (const Wake wake = waiter.wait(*need, std::chrono::steady_clock::now()); wake != Wake::ready) return wake;
    }
    if (!session.connected()) return Wake::ready;
    const int descriptor = PQsocket(session.native_handle());
    if (const Wake wake = waiter.wait({descriptor, POLLIN, deadline}, std::chrono::steady_clock::now()); wake != Wake::ready) return wake;
    std::array<char, 4096> answer;
    while (::recv(descriptor, answer.data(), answer.size(), MSG_DONTWAIT) > 0) {
    }
    cut(session);
    return Wake::ready;
}

/// The same request with a body that the server refuses.
Result<Reply> refused(Session& session, std::span<const Step> steps, const SqlState& code, Moment now, Moment deadline,
                      const std::stop_token& stop) {
    std::string sql = "DO $fault$BEGIN RAISE EXCEPTION USING ERRCODE = '";
    for (const char c : code.view()) sql += (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ? c : '0';
    sql += "', MESSAGE = 'injected by howdah::testing::Faults'; END$fault$";
    std::array<Step, Session::kMostSteps> changed;
    std::copy(steps.begin(), steps.end(), changed.begin());
    for (Step& step : changed) {
        if (step.part == Step::Part::body && step.sql != nullptr) step = {Step::Kind::text, Step::Part::body, sql.c_str(), nullptr, {}, 0};
    }
    return send(session, std::span(changed).first(steps.size()), now, deadline, stop);
}

Result<Reply> strike(const Fault& fault, Session& session, std::span<const Step> steps, Moment now, Moment deadline,
                     const std::stop_token& stop) {
    if (fault.kind == Fault::Kind::refuse) return refused(session, steps, fault.code, now, deadline, stop);
    if (fault.kind == Fault::Kind::cut_before_sending) cut(session);
    if (auto begun = session.start(steps); !begun) return begun.error();
    Waiter waiter(stop);
    if (fault.kind == Fault::Kind::lose_answer) {
        if (const Wake wake = lose_answer(session, waiter, deadline); wake != Wake::ready) return end(session, wake);
    }
    if (fault.kind == Fault::Kind::delay_answer) {
        const Moment until = after(now, fault.delay);
        const Wake wake = waiter.wait({-1, 0, std::min(until, deadline)}, now);
        if (wake == Wake::stopped || deadline <= until) return end(session, wake);
    }
    return end(session, drive(session, waiter, deadline, std::chrono::steady_clock::now()));
}

}  // namespace

Result<Reply> await(Session& session, Moment now, Moment deadline, const std::stop_token& stop) {
    Waiter waiter(stop);
    return end(session, drive(session, waiter, deadline, now));
}

Result<Reply> request(Session& session, std::span<const Step> steps, Moment now, Moment deadline, const std::stop_token& stop,
                      testing::Faults* faults) {
    // Time that is over before anything was sent leaves nothing in doubt.
    if (now >= deadline) return session.not_sent(Cause::timed_out);
    if (stop.stop_requested()) return session.not_sent(Cause::cancelled);
    if (faults != nullptr) [[unlikely]] {
        const auto at = place(steps);
        if (const auto fault = at ? faults->next(*at) : std::nullopt) return strike(*fault, session, steps, now, deadline, stop);
    }
    return send(session, steps, now, deadline, stop);
}

}  // namespace howdah::inline v0
