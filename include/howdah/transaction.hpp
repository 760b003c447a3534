#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "howdah/moment.hpp"
#include "howdah/parameters.hpp"
#include "howdah/result.hpp"
#include "howdah/rows.hpp"
#include "howdah/statement.hpp"

namespace howdah::inline v0 {

enum class Isolation : std::uint8_t { server_default, read_committed, repeatable_read, serializable };

struct TransactionOptions {
    std::string_view tag{};  ///< Names the work in spans and in others' errors; must live until run() returns.
    /// For everything: queue, dial, statements, retries. kNever: the client's times for each part.
    Moment deadline = kNever;
    Isolation isolation = Isolation::server_default;
    bool read_only = false;
    bool deferrable = false;  ///< Means something with serializable and read_only only.
    /// Names this piece of work among all there ever are, in the table of ClientOptions::key_table: work with a key that is there already
    /// is not done again (an Error with Outcome::succeeded says so), whatever became of earlier tries, failovers included.
    std::string key{};
    unsigned tries = 10;               ///< The first included. 1: never again.
    bool retry_refused_locks = false;  ///< 55P03 too.
    bool retry_taken_keys = false;     ///< 23505 and 23P01 too: for bodies that choose a key after reading.
    /// Without a key: note the transaction's number, so that a lost answer to COMMIT can be looked up. Costs a few microseconds per
    /// statement until the first that writes.
    bool resolve = true;
    std::stop_token stop{};
};

class TransactionState;

/// The transaction a body runs in. Begun with the body's first statement, in the same packet. After a failed statement every further
/// one fails until the body ends or the savepoint around it does. Used by the body's thread only, and not after it.
class Transaction {
public:
    explicit Transaction(TransactionState& state) noexcept : state_(state) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    template <typename... Values>
    Result<Rows> execute(Query query, const Values&... values) {
        const Parameters parameters(values...);
        return execute_list(query, parameters);
    }
    Result<Rows> execute_list(Query query, const ParameterList& parameters);

    /// Runs the body inside a savepoint. When it returns an error or throws, what it did is undone and the transaction goes on; the error
    /// is returned, the exception rethrown. A link that broke or a serialisation failure cannot be undone so: then all fails.
    template <typename Body>
    std::invoke_result_t<Body&, Transaction&> savepoint(Body&& body) {
        using Value = std::invoke_result_t<Body&, Transaction&>;
        if (auto begun = begin_savepoint(); !begun) return Value(begun.error());
        try {
            Value value = body(*this);
            if (auto ended = end_savepoint(value.has_value()); !ended) return Value(ended.error());
            return value;
        } catch (...) {
            static_cast<void>(end_savepoint(false));
            throw;
        }
    }

    /// The tries so far, this one included.
    unsigned tries() const noexcept;
    Moment deadline() const noexcept;

private:
    Result<void> begin_savepoint();
    Result<void> end_savepoint(bool keep);
    TransactionState& state_;
};

}  // namespace howdah::inline v0
