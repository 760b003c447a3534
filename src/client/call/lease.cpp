#include "howdah/lease.hpp"

#include <chrono>
#include <utility>

#include "client/call/judgement.hpp"
#include "client/call/lease_state.hpp"
#include "client/call/request.hpp"
#include "client/call/step_list.hpp"
#include "client/policy/borrow_error.hpp"
#include "client/values/answer.hpp"
#include "howdah/client.hpp"

namespace howdah::inline v0 {

using std::chrono::steady_clock;

LeaseState::~LeaseState() {
    const Moment now = steady_clock::now();
    if (failure_) {
        give_back_failed(client_.endpoint, now, grant_, classify(*failure_), *failure_, nullptr, true);
    } else {
        client_.endpoint.give_back(now, grant_, Vote::success, session().busy() ? Fate::drain : Fate::keep, true);
    }
}

Result<Rows> LeaseState::execute(Query query, const ParameterList& parameters) {
    if (parameters.error()) return *parameters.error();
    // What a child wrote here would go into the midst of the parent's session.
    if (client_.endpoint.forked()) return borrow_error({BorrowFailure::forked}, std::nullopt);
    if (session().busy() || !session().connected())
        return Error(Phase::send, Cause::broken, {"the lease's session is gone", {}, "borrow anew", session().endpoint()});
    const Moment now = steady_clock::now();
    const Moment deadline = std::min(deadline_, after(now, client_.options.endpoint.query_time));
    StepList list;
    list.add(Step::Part::body, session(), query, view(parameters), !client_.options.endpoint.behind_pooler);
    auto reply = request(session(), list.steps(), now, deadline, stop_, client_.options.faults.get());
    if (!reply) return note(reply.error(), query);
    // Whoever wants one session wants it for what stays there, and functions leave no tag: advisory locks, settings.
    session().mark(true);
    return rows_of(reply->body.release());
}

Error LeaseState::note(const Error& error, const Query& query) {
    // What was not sent says nothing about the session.
    if (error.phase() == Phase::send && session().connected() && !session().busy()) return error;
    const Verdict& verdict = classify(error).verdict;
    if (verdict.fate == Fate::clear_entry && query.statement() != nullptr) prepare_again(session(), error, *query.statement());
    // The worst that happened is what the session is judged by when it comes back.
    if (verdict.vote != Vote::none || verdict.fate != Fate::keep) failure_ = error;
    return error;
}

Lease::Lease(std::unique_ptr<LeaseState> state) noexcept : state_(std::move(state)) {}
Lease::Lease(Lease&& other) noexcept = default;
Lease& Lease::operator=(Lease&& other) noexcept = default;
Lease::~Lease() = default;

Result<Rows> Lease::execute_list(Query query, const ParameterList& parameters) {
    if (!state_) return Error(Phase::send, Cause::usage, {"the lease was moved away", {}, "use the one it was moved to", {}});
    return state_->execute(query, parameters);
}

void Lease::mark_dirty() noexcept {
    if (state_) state_->session().mark(true);
}

pg_conn* Lease::native_handle() noexcept { return state_ ? state_->session().native_handle() : nullptr; }

Result<Lease> Client::borrow(const CallOptions& options) {
    const Moment now = steady_clock::now();
    auto grant = state_->endpoint.admit(now, std::min(options.deadline, after(now, state_->options.endpoint.borrow_time)), options.tag,
                                        options.stop);
    if (!grant) return grant.error();
    return Lease(std::make_unique<LeaseState>(*state_, *grant, options));
}

}  // namespace howdah::inline v0
