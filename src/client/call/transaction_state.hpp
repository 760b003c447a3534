#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/call/client_state.hpp"
#include "client/call/step_list.hpp"
#include "howdah/transaction.hpp"

namespace howdah::inline v0 {

/// One try of a transaction on a leased session. BEGIN, the settings, the key and savepoints wait until the body's next statement takes
/// them along in its packet. Used by the caller's thread.
class TransactionState {
public:
    TransactionState(ClientState& state, const TransactionOptions& options, Session& session, unsigned tries);

    Result<Rows> execute(Query query, const ParameterList& parameters);
    Result<void> begin_savepoint();
    Result<void> end_savepoint(bool keep);
    /// Also when the body swallowed a failure: then it is returned, with outcome `failed`.
    Result<void> commit();
    /// Ends the block on the server where that takes no waiting beyond the deadline; else it is left to whoever resets the session.
    void roll_back();

    /// What broke the transaction; the body's own errors are not here.
    const std::optional<Error>& failure() const noexcept { return failure_; }
    /// The statement that failed, if it was prepared.
    const Statement* failed_statement() const noexcept { return failed_statement_; }
    /// The key was there already: the work was done by an earlier try.
    bool done_before() const noexcept { return done_before_; }
    /// Whether a try that ended unknown can be looked up, and by which number; empty while nothing was written.
    const std::string& transaction() const noexcept { return transaction_; }
    bool noted() const noexcept { return note_transaction_; }
    std::uint64_t monitor_then() const noexcept { return monitor_then_; }
    unsigned tries() const noexcept { return tries_; }
    Moment deadline() const noexcept { return options_.deadline; }

private:
    struct Text {
        std::array<char, 96> text{};
    };
    /// What must go before the next statement, in order.
    void add_beginning(StepList& list);
    void add_pending(StepList& list);
    Result<void> flush_pending();
    void wait_with(const char* format, unsigned depth);
    Result<Reply> request(const StepList& list);
    Result<Reply> request(const StepList& list, Moment now, Moment deadline);
    Error fail(Error error, const Statement* statement);
    Error ended_by_body(std::string_view tag);

    ClientState& state_;
    const TransactionOptions& options_;
    Session& session_;
    const unsigned tries_;
    const bool by_name_;
    const bool note_transaction_;
    const std::uint64_t monitor_then_;

    bool begun_ = false;
    Text begin_;
    Text settings_;
    const char* key_ = nullptr;
    std::array<Text, 8> pending_;
    std::size_t pending_count_ = 0;
    unsigned depth_ = 0;       ///< Savepoints around the body's present place.
    unsigned sent_depth_ = 0;  ///< Of these the ones that the server knows.
    unsigned failed_depth_ = 0;
    bool undoable_ = false;
    std::optional<Error> failure_;
    const Statement* failed_statement_ = nullptr;
    bool done_before_ = false;
    std::size_t key_step_ = Session::kMostSteps;
    std::string transaction_;
};

}  // namespace howdah::inline v0
