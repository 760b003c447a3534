#include <algorithm>
#include <chrono>

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

Result<Rows> send(Session& session, Query query, const ParameterList& parameters, bool by_name, Moment now, Moment deadline,
                  const std::stop_token& stop, testing::Faults* faults) {
    StepList list;
    list.add(Step::Part::body, session, query, view(parameters), by_name);
    auto reply = request(session, list, now, deadline, stop, faults);
    if (!reply) return reply.error();
    return rows_of(reply->body.release());
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

}  // namespace

Result<Rows> Client::execute_list(const CallOptions& options, Query query, const ParameterList& parameters) {
    if (parameters.error()) return *parameters.error();
    ClientState& state = *state_;
    const EndpointOptions& limits = state.options.endpoint;
    Moment now = steady_clock::now();
    Tries tries(state, options.tag, options.deadline, options.tries, options.stop, now);
    while (true) {
        auto grant = state.endpoint.admit(now, std::min(options.deadline, after(now, limits.borrow_time)), options.tag, options.stop);
        std::optional<Error> failure;
        if (grant) {
            Session& session = state.endpoint.session(*grant);
            const Moment deadline = std::min(options.deadline, after(grant->begun, limits.query_time));
            auto rows =
                send(session, query, parameters, !limits.behind_pooler, grant->begun, deadline, options.stop, state.options.faults.get());
            now = steady_clock::now();
            if (rows) {
                state.endpoint.give_back(now, *grant, Vote::success, Fate::keep, tries.first());
                tries.ended(now, nullptr);
                return rows;
            }
            failure = rows.error();
        } else {
            // Rejections are the cheap way out: no second look at the clock, no table.
            if (!state.endpoint.spans_wanted() && grant.error().phase() == Phase::borrow) return grant.error();
            failure = grant.error();
            now = steady_clock::now();
        }
        const ClassRow& row = classify(*failure);
        if (grant) give_back_failed(state.endpoint, now, *grant, row, *failure, query.statement(), tries.first());
        if (!tries.again(now, *failure, row, allowed(*failure, row.verdict.retry, options.repeatable))) {
            tries.ended(now, &*failure);
            return *failure;
        }
        now = steady_clock::now();
    }
}

}  // namespace howdah::inline v0
