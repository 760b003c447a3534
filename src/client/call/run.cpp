#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "client/call/client_state.hpp"
#include "client/call/judgement.hpp"
#include "client/call/resolve_commit.hpp"
#include "client/call/transaction_state.hpp"
#include "client/call/tries.hpp"
#include "howdah/client.hpp"

// A whole transaction, with its retries.
namespace howdah::inline v0 {

namespace {

using std::chrono::steady_clock;

/// What one try came to.
struct Tried {
    std::optional<Error> failure;  ///< That the table judges; none when all went well or the body alone said no.
    std::optional<Error> answer;   ///< For the caller; none when it is committed.
};

Retry allowed(const TransactionOptions& options, const Error& error, Retry retry) {
    if (error.phase() == Phase::borrow || error.outcome() == Outcome::succeeded) return Retry::never;
    switch (retry) {
        // Nobody else would let it write either.
        case Retry::reroute: return options.read_only ? Retry::never : retry;
        case Retry::lock_if_asked: return options.retry_refused_locks ? retry : Retry::never;
        case Retry::key_if_asked: return options.retry_taken_keys ? retry : Retry::never;
        // With a key the next try finds out by itself: its key waits for the lost one's end, and is taken or free.
        case Retry::resolve_commit: return options.key.empty() ? Retry::never : Retry::reconnect;
        default: return retry;
    }
}

class OneTry {
public:
    OneTry(ClientState& state, const TransactionOptions& options, Grant& grant, const Tries& tries)
        : state_(state),
          options_(options),
          grant_(grant),
          tries_(tries),
          transaction_(state, options, state.endpoint.session(grant), tries.made()) {}

    Tried run(Client::BodyCall body) {
        Tried tried;
        Result<void> said = call(body);
        if (said) said = transaction_.commit();
        if (!said) tried.answer = said.error();
        tried.failure = transaction_.failure();
        // A body that says no without a failure of the server's, or although its failure was undone by a savepoint.
        if (!said || tried.failure) transaction_.roll_back();
        // A value that could not be read was there, but what brought it is rolled back.
        if (tried.answer && tried.answer->phase() == Phase::decode) tried.answer = tried.answer->with_outcome(Outcome::failed);
        if (tried.failure && tried.failure->outcome() == Outcome::unknown) settle_unknown(tried);
        finish(tried);
        return tried;
    }

private:
    Result<void> call(Client::BodyCall body) {
        const InsideBody inside;
        Transaction handle(transaction_);
        try {
            return body.call(body.body, handle);
        } catch (...) {
            transaction_.roll_back();
            const bool busy = state_.endpoint.session(grant_).busy();
            state_.endpoint.give_back(steady_clock::now(), grant_, Vote::none, busy ? Fate::drain : Fate::keep, tries_.first());
            throw;
        }
    }

    void settle_unknown(Tried& tried) {
        state_.unknown_commits.fetch_add(1, std::memory_order_relaxed);
        if (!options_.key.empty()) return log_unknown(", the key will tell");
        const Outcome outcome = resolve_commit(state_, transaction_, state_.endpoint.session(grant_).identity(), options_.deadline);
        if (outcome == Outcome::unknown) return log_unknown(" and nothing could be found out");
        if (state_.endpoint.log_wanted()) {
            state_.endpoint.log(steady_clock::now(), LogKind::commit, Severity::info,
                                std::string("the answer to a COMMIT was lost; found out: ") +
                                    (outcome == Outcome::succeeded ? "it is committed" : "it is not committed") + tagged());
        }
        state_.resolved_commits.fetch_add(1, std::memory_order_relaxed);
        tried.failure = tried.failure->with_outcome(outcome);
        tried.answer = outcome == Outcome::succeeded ? std::nullopt : tried.failure;
    }

    std::string tagged() const { return options_.tag.empty() ? "" : " (" + std::string(options_.tag) + ")"; }
    void log_unknown(const char* rest) {
        if (!state_.endpoint.log_wanted()) return;
        state_.endpoint.log(steady_clock::now(), LogKind::commit, options_.key.empty() ? Severity::critical : Severity::warning,
                            std::string("the answer to a COMMIT was lost") + rest + tagged());
    }

    void finish(const Tried& tried) {
        const Moment now = steady_clock::now();
        if (!tried.failure) {
            const Vote vote = tried.answer ? Vote::none : Vote::success;
            state_.endpoint.give_back(now, grant_, vote, Fate::keep, tries_.first());
            return;
        }
        give_back_failed(state_.endpoint, now, grant_, classify(*tried.failure), *tried.failure, transaction_.failed_statement(),
                         tries_.first());
    }

    ClientState& state_;
    const TransactionOptions& options_;
    Grant& grant_;
    const Tries& tries_;
    TransactionState transaction_;
};

}  // namespace

Result<void> Client::run_body(const TransactionOptions& options, BodyCall body) {
    ClientState& state = *state_;
    Moment now = steady_clock::now();
    Tries tries(state, options.tag, options.deadline, options.tries, options.stop, now);
    std::optional<Error> unknown;
    unsigned doubtful = 0;  ///< Tries whose COMMIT had no answer and whose key is still to be asked.
    const auto settled = [&] { state.resolved_commits.fetch_add(std::exchange(doubtful, 0), std::memory_order_relaxed); };
    while (true) {
        const Moment borrow_until = std::min(options.deadline, after(now, state.options.endpoint.borrow_time));
        auto grant = state.endpoint.admit(now, borrow_until, options.tag, options.stop);
        Tried tried;
        if (grant) {
            tried = OneTry(state, options, *grant, tries).run(body);
        } else {
            tried.failure = tried.answer = grant.error();
        }
        now = steady_clock::now();
        if (!tried.answer) {
            settled();
            tries.ended(now, nullptr);
            return {};
        }
        if (tried.failure && tried.failure->outcome() == Outcome::succeeded) settled();
        if (tried.failure && tried.failure->outcome() == Outcome::unknown) {
            unknown = tried.failure;
            ++doubtful;
        }
        // Once a try may have committed, later ones that fail leave it so; only the key's own word settles it.
        if (tried.failure && unknown && tried.failure->outcome() != Outcome::succeeded) tried.answer = unknown;
        const ClassRow* const row = tried.failure ? &classify(*tried.failure) : nullptr;
        if (row == nullptr || !tries.again(now, *tried.failure, *row, allowed(options, *tried.failure, row->verdict.retry))) {
            tries.ended(now, &*tried.answer);
            return *tried.answer;
        }
        now = steady_clock::now();
    }
}

}  // namespace howdah::inline v0
