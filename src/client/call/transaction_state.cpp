#include "client/call/transaction_state.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "client/call/request.hpp"
#include "client/policy/borrow_error.hpp"
#include "client/values/answer.hpp"

namespace howdah::inline v0 {

namespace {

using std::chrono::steady_clock;

const Statement& transaction_number() {
    static const Statement statement("SELECT pg_current_xact_id_if_assigned()");
    return statement;
}

const char* words(Isolation isolation) {
    switch (isolation) {
        case Isolation::server_default: return "";
        case Isolation::read_committed: return " ISOLATION LEVEL READ COMMITTED";
        case Isolation::repeatable_read: return " ISOLATION LEVEL REPEATABLE READ";
        case Isolation::serializable: return " ISOLATION LEVEL SERIALIZABLE";
    }
    return "";
}

/// Failures that end the whole transaction, whatever savepoint is around: a snapshot cannot be taken anew inside it.
bool ends_all(const Error& error) { return error.sqlstate() == "40001" || error.sqlstate() == "40P01"; }

constexpr Duration kShortest = std::chrono::milliseconds(1);

}  // namespace

TransactionState::TransactionState(ClientState& state, const TransactionOptions& options, Session& session, unsigned tries)
    : state_(state),
      options_(options),
      session_(session),
      tries_(tries),
      by_name_(!state.options.endpoint.behind_pooler),
      note_transaction_(options.resolve && !options.read_only && options.key.empty()),
      monitor_then_(note_transaction_ ? state.keeper.monitor().incarnation.load(std::memory_order_acquire) : 0) {}

void TransactionState::add_beginning(StepList& list) {
    begun_ = true;
    std::snprintf(begin_.text.data(), begin_.text.size(), "BEGIN%s%s%s", words(options_.isolation), options_.read_only ? " READ ONLY" : "",
                  options_.deferrable ? " DEFERRABLE" : "");
    list.add(Step::Part::before, begin_.text.data());
    const Moment now = steady_clock::now();
    const Moment until = std::min(options_.deadline, after(now, state_.options.endpoint.query_time));
    if (until != kNever) {
        // The server gives up by itself too, should nobody be left to tell it so.
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, kShortest));
        const long long most = std::min<long long>(left.count(), 2147483647);
        std::snprintf(settings_.text.data(), settings_.text.size(), "SET LOCAL statement_timeout = %lld", most);
        list.add(Step::Part::before, settings_.text.data());
    }
    if (!options_.key.empty()) {
        key_ = options_.key.c_str();
        key_step_ = list.size();
        list.add(Step::Part::before, state_.key_insert.c_str(), {1, nullptr, &key_, nullptr, nullptr});
    }
}

void TransactionState::add_pending(StepList& list) {
    for (std::size_t i = 0; i < pending_count_; ++i) list.add(Step::Part::before, pending_[i].text.data());
}

void TransactionState::wait_with(const char* format, unsigned depth) {
    std::snprintf(pending_[pending_count_].text.data(), pending_[pending_count_].text.size(), format, depth, depth);
    ++pending_count_;
}

Result<void> TransactionState::flush_pending() {
    StepList list;
    add_pending(list);
    pending_count_ = 0;
    auto reply = request(list);
    if (!reply) return fail(reply.error(), nullptr);
    return {};
}

Result<Reply> TransactionState::request(const StepList& list) {
    const Moment now = steady_clock::now();
    return request(list, now, std::min(options_.deadline, after(now, state_.options.endpoint.query_time)));
}

Result<Reply> TransactionState::request(const StepList& list, Moment now, Moment deadline) {
    if (state_.endpoint.forked()) return borrow_error({BorrowFailure::forked}, std::nullopt);
    return howdah::request(session_, list.steps(), now, deadline, options_.stop, state_.options.faults.get());
}

Result<Rows> TransactionState::execute(Query query, const ParameterList& parameters) {
    if (parameters.error()) return *parameters.error();
    if (failure_) {
        return Error(Phase::receive, Cause::refused,
                     {"the transaction has failed before this statement: " + failure_->message(),
                      {},
                      "return the error from the body",
                      failure_->endpoint()},
                     SqlState("25P02"))
            .with_outcome(Outcome::failed);
    }
    if (begun_ && pending_count_ > 3) {
        if (auto flushed = flush_pending(); !flushed) return flushed.error();
    }
    StepList list;
    key_step_ = Session::kMostSteps;
    if (!begun_) add_beginning(list);
    add_pending(list);
    pending_count_ = 0;
    sent_depth_ = depth_;
    list.add(Step::Part::body, session_, query, view(parameters), by_name_);
    const bool ask = note_transaction_ && transaction_.empty();
    if (ask) list.add(Step::Part::after, session_, transaction_number(), {}, by_name_);
    auto reply = request(list);
    if (!reply) return fail(reply.error(), query.statement());
    if (ask && reply->after && PQntuples(reply->after.get()) == 1 && PQgetisnull(reply->after.get(), 0, 0) == 0)
        transaction_ = PQgetvalue(reply->after.get(), 0, 0);
    if (!session_.in_transaction()) return ended_by_body(PQcmdStatus(reply->body.get()));
    return rows_of(reply->body.release());
}

Error TransactionState::fail(Error error, const Statement* statement) {
    // COMMIT was not sent: whatever broke, the server rolls back.
    error = error.with_outcome(error.outcome() == Outcome::not_sent ? Outcome::not_sent : Outcome::failed);
    if (session_.failed_step() == key_step_ && error.sqlstate() == "23505") {
        done_before_ = true;
        error = error.with_outcome(Outcome::succeeded);
    }
    if (session_.failed_step() == key_step_ && error.sqlstate() == "42P01") {
        error = Error(error.phase(), error.cause(),
                      {error.message(), error.detail(), "make the table of keys with the statement of Client::key_table_sql()",
                       error.endpoint()},
                      error.sqlstate())
                    .with_outcome(error.outcome());
    }
    failure_ = error;
    failed_statement_ = statement;
    failed_depth_ = depth_;
    undoable_ = session_.connected() && !session_.busy() && session_.failed() && !ends_all(error) && !done_before_;
    return error;
}

Error TransactionState::ended_by_body(std::string_view tag) {
    // What came before is settled, and what came after would be outside any transaction.
    failure_ = Error(Phase::receive, Cause::usage,
                     {"the body ended its transaction itself: " + std::string(tag),
                      {},
                      "return a value to commit, an error to roll back; use savepoint() for parts",
                      session_.endpoint()})
                   .with_outcome(tag == "COMMIT" ? Outcome::succeeded : Outcome::failed);
    undoable_ = false;
    return *failure_;
}

Result<void> TransactionState::begin_savepoint() {
    if (failure_) return *failure_;
    if (pending_count_ + 2 >= pending_.size()) {
        if (!begun_) {
            return Error(Phase::send, Cause::usage, {"too many savepoints without a statement between them", {}, "nest less", {}});
        }
        if (auto flushed = flush_pending(); !flushed) return flushed.error();
        sent_depth_ = depth_;
    }
    ++depth_;
    wait_with("SAVEPOINT howdah_%u", depth_);
    return {};
}

Result<void> TransactionState::end_savepoint(bool keep) {
    const unsigned depth = depth_--;
    if (depth > sent_depth_) {
        // The server never heard of it: it is the last that waits.
        if (pending_count_ > 0) --pending_count_;
        return keep && failure_ ? Result<void>(*failure_) : Result<void>();
    }
    sent_depth_ = std::min(sent_depth_, depth_);
    if (failure_) {
        if (keep) return *failure_;
        if (!undoable_ || failed_depth_ < depth) return {};
        failure_.reset();
    }
    // Ends of deep nests come one after another, without a statement that would take them along.
    if (pending_count_ + 2 > pending_.size()) {
        if (auto flushed = flush_pending(); !flushed) return flushed.error();
    }
    if (!keep) wait_with("ROLLBACK TO SAVEPOINT howdah_%u", depth);
    wait_with("RELEASE SAVEPOINT howdah_%u", depth);
    return {};
}

Result<void> TransactionState::commit() {
    if (failure_) {
        roll_back();
        return *failure_;
    }
    if (!begun_) return {};
    StepList list;
    add_pending(list);
    pending_count_ = 0;
    list.add(Step::Part::body, "COMMIT");
    // A cancel would end a COMMIT that waits for a standby in doubt.
    session_.set_keep_running(true);
    auto reply = request(list);
    if (!session_.busy()) session_.set_keep_running(false);
    if (!reply) {
        const Error& error = reply.error();
        // Where COMMIT did not get out, the server rolls back what did; and who may not write has nothing that could last.
        const bool nothing_lasts = error.outcome() == Outcome::not_sent || (error.outcome() == Outcome::unknown && options_.read_only);
        failure_ = nothing_lasts ? error.with_outcome(Outcome::failed) : error;
        return *failure_;
    }
    if (std::string_view(PQcmdStatus(reply->body.get())) == "COMMIT") return {};
    failure_ = Error(Phase::receive, Cause::refused,
                     {"the server rolled the transaction back: COMMIT was answered with ROLLBACK",
                      {},
                      "a statement failed that the body did not notice, as one sent through native_handle()",
                      session_.endpoint()},
                     SqlState("25P02"))
                   .with_outcome(Outcome::failed);
    return *failure_;
}

void TransactionState::roll_back() {
    if (!begun_ || !session_.connected() || session_.busy() || !session_.in_transaction()) return;
    const Moment now = steady_clock::now();
    const Moment until = std::min(options_.deadline, after(now, std::chrono::seconds(1)));
    if (now >= until) return;
    StepList list;
    list.add(Step::Part::body, "ROLLBACK");
    static_cast<void>(request(list, now, until));
}

}  // namespace howdah::inline v0
