#include <algorithm>
#include <chrono>
#include <optional>

#include "client/call/client_state.hpp"
#include "client/call/judgement.hpp"
#include "client/call/request.hpp"
#include "client/call/step_list.hpp"
#include "client/call/tries.hpp"
#include "client/values/answer.hpp"
#include "howdah/client.hpp"

// One statement in a transaction of its own.
namespace howdah::inline v0 {

namespace {

using std::chrono::steady_clock;

Result<Rows> ask(ClientState& state, const Grant& grant, const CallOptions& options, Query query, const ParameterList& parameters) {
    const EndpointOptions& limits = state.options.endpoint;
    Session& session = state.endpoint.session(grant);
    const Moment deadline = std::min(options.deadline, after(grant.begun, limits.query_time));
    StepList list;
    list.add(Step::Part::body, session, query, view(parameters), !limits.behind_pooler);
    auto reply = session.idle() ? request(session, list.steps(), grant.begun, deadline, options.stop, state.options.faults.get())
                                : await(session, grant.begun, deadline, options.stop);
    if (!reply) return reply.error();
    return rows_of(reply->body.release());
}

/// The good path of ask(): a statement that the session has prepared, and an answer that comes whole. Else false, and ask() goes on from
/// where it stands.
bool ask_at_once(ClientState& state, const Grant& grant, const CallOptions& options, Query query, const ParameterList& parameters,
                 Result<Rows>& rows) {
    const Statement* const statement = query.statement();
    if (statement == nullptr || options.stop.stop_possible() || state.with_faults) return false;
    Session& session = state.endpoint.session(grant);
    const ParameterView with = view(parameters);
    if (session.prepared(statement->number(), with) != Session::Prepared::yes) return false;
    const Moment deadline = std::min(options.deadline, after(grant.begun, state.query_time));
    if (grant.begun >= deadline) return false;
    auto answer = session.answer_at_once(statement->name().c_str(), with, deadline, grant.begun);
    if (!answer) return false;
    *rows = rows_of(answer.release());
    return true;
}

void succeed(ClientState& state, const CallOptions& options, Grant& grant, Moment begun, unsigned tries) {
    const Moment now = steady_clock::now();
    if (tries == 1) {
        state.endpoint.give_back_well(now, grant);
    } else {
        state.endpoint.give_back(now, grant, Vote::success, Fate::keep, false);
    }
    if (state.endpoint.spans_wanted()) state.endpoint.told_span({options.tag, begun, now, tries, nullptr});
}

/// What may be done again after the failure of a statement that stands alone.
Retry allowed(const Error& error, Retry retry, bool repeatable) {
    const bool surely_not_done = error.outcome() == Outcome::not_sent || error.outcome() == Outcome::failed;
    if (!surely_not_done && !repeatable) return Retry::never;
    // The queue is where one waits for a connection; who comes out of it without one has waited enough.
    if (error.phase() == Phase::borrow) return Retry::never;
    switch (retry) {
        case Retry::resolve_commit: return Retry::reconnect;
        case Retry::lock_if_asked:
        case Retry::key_if_asked: return Retry::never;
        default: return retry;
    }
}

/// The long way: where the call has to wait, or its first try, made with that grant, has failed.
[[gnu::cold]] Result<Rows> execute_in_full(ClientState& state, const CallOptions& options, Query query, const ParameterList& parameters,
                                           Moment begun, Grant grant, std::optional<Error> failure) {
    const EndpointOptions& limits = state.options.endpoint;
    Tries tries(state, options.tag, options.deadline, options.tries, options.stop, begun);
    Moment now = begun;
    while (true) {
        bool admitted = failure.has_value();
        if (!admitted) {
            const Moment patience = std::min(options.deadline, after(now, limits.borrow_time));
            auto granted = state.endpoint.admit(now, patience, options.tag, options.stop);
            if (granted) {
                grant = *granted;
                admitted = true;
                auto rows = ask(state, grant, options, query, parameters);
                if (rows) {
                    succeed(state, options, grant, begun, tries.made());
                    return rows;
                }
                failure = rows.error();
            } else {
                // Rejections are the cheap way out: no second look at the clock, no table.
                if (!state.endpoint.spans_wanted() && granted.error().phase() == Phase::borrow) return granted.error();
                failure = granted.error();
            }
        }
        now = steady_clock::now();
        const ClassRow& row = classify(*failure);
        if (admitted) give_back_failed(state.endpoint, now, grant, row, *failure, query.statement(), tries.first());
        if (!tries.again(now, *failure, row, allowed(*failure, row.verdict.retry, options.repeatable))) {
            tries.ended(now, &*failure);
            return *failure;
        }
        failure.reset();
        now = steady_clock::now();
    }
}

}  // namespace

Result<Rows> Client::execute_list(const CallOptions& options, Query query, const ParameterList& parameters) {
    Result<Rows> rows{Rows()};
    Grant grant;
    const Moment begun = steady_clock::now();
    if (parameters.error()) {
        rows = *parameters.error();
    } else if (state_->endpoint.admit_at_once(begun, options.deadline, options.tag, options.stop, grant)) {
        if (!ask_at_once(*state_, grant, options, query, parameters, rows)) rows = ask(*state_, grant, options, query, parameters);
        if (rows) {
            succeed(*state_, options, grant, begun, 1);
        } else {
            rows = execute_in_full(*state_, options, query, parameters, begun, grant, rows.error());
        }
    } else {
        rows = execute_in_full(*state_, options, query, parameters, begun, grant, std::nullopt);
    }
    return rows;
}

}  // namespace howdah::inline v0
