#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "howdah/breaker.hpp"
#include "howdah/figures.hpp"
#include "howdah/lease.hpp"
#include "howdah/metrics.hpp"
#include "howdah/monitor.hpp"
#include "howdah/observer.hpp"
#include "howdah/options.hpp"
#include "howdah/pool.hpp"
#include "howdah/retry.hpp"
#include "howdah/transaction.hpp"

namespace howdah::inline v0 {

namespace testing {
class Faults;
}

struct ClientOptions {
    /// From read_url(), then apply_environment() where the checklists' names are wanted.
    EndpointOptions endpoint;
    std::string name = "postgres";  ///< The label `endpoint` of metrics, and in errors of the library's own.
    std::string role = "primary";   ///< The label `role`.
    /// Asked at each dial, on a thread of its own: passwords and tokens that change. Errors and exceptions fail the dial.
    std::function<Result<std::string>()> password;
    BreakerOptions breaker{.sole_primary = true};
    RetryBudgetOptions failure_budget;
    RetryBudgetOptions contention_budget = kContentionBudget;
    std::uint32_t bulkhead = 0;                                ///< Calls at once, waiting ones included; 0 for no limit.
    std::optional<MonitorOptions> monitor = MonitorOptions{};  ///< None: no session beside the pool's, no alerts.
    Observer observer;
    /// A file whose first word is the breaker's mode (automatic, disabled, observe, forced_open, forced_closed); looked at when the client
    /// is opened and then once a second. A change of it sets the mode; while there is no such file the mode is the configured one; what
    /// makes no sense is told to on_log and changes nothing. Local, and replaced by rename(2) rather than written in place.
    std::string breaker_mode_file;
    /// Where keys of transactions are kept: key_table_sql() makes it. A table or schema.table of ASCII letters, digits, _ and $, in the
    /// case in which it is written here.
    std::string key_table = "howdah_key";
    std::shared_ptr<testing::Faults> faults;  ///< Only in a service's own tests: howdah/testing.hpp.
};

/// For one call.
struct CallOptions {
    std::string_view tag{};    ///< Names the work in spans and in others' errors; must live until the call or the lease ends.
    Moment deadline = kNever;  ///< For everything: queue, dial, statement, retries. kNever: the client's times for each part.
    bool repeatable = false;   ///< It may run twice: a read, or a write that comes to the same. Else only what surely did not run is.
    unsigned tries = 10;
    std::stop_token stop{};
};

class ClientState;

/// A pool of sessions with all that makes their use safe: deadlines, retries within budgets, a circuit breaker, a monitor. Make one per
/// service and share it: thread-safe. After fork() a child's copy fails every call with a named error, and its figures are empty; make
/// a new one there.
class Client {
public:
    /// Checks the options and starts the keeper's thread; dials nothing yet, so a server that is down is no error here.
    static Result<Client> open(ClientOptions options);
    Client(Client&& other) noexcept;
    Client& operator=(Client&& other) noexcept;
    /// close() at once. Leases and running calls must have ended.
    ~Client();

    template <typename... Values>
    Result<Rows> execute(Query query, const Values&... values) {
        const Parameters parameters(values...);
        return execute_list({}, query, parameters);
    }
    template <typename... Values>
    Result<Rows> execute(const CallOptions& options, Query query, const Values&... values) {
        const Parameters parameters(values...);
        return execute_list(options, query, parameters);
    }
    /// One statement in a transaction of its own.
    Result<Rows> execute_list(const CallOptions& options, Query query, const ParameterList& parameters);

    /// Runs the body in a transaction and commits it: `client.run({.tag = "order"}, [&](Transaction& tx) -> Result<int> { ... })`. The
    /// whole body runs again, in a fresh transaction, when it failed in a way that may pass: it must have no effects elsewhere. A value
    /// is returned only when the commit is certain; Error::outcome() tells what became of the rest: failed, succeeded (the work was
    /// done although the call failed) or unknown. An error or exception of the body's own rolls back and is passed on unchanged.
    /// Inside another body a run() is not repeated by itself.
    template <typename Body>
    std::invoke_result_t<Body&, Transaction&> run(const TransactionOptions& options, Body&& body) {
        using Value = std::invoke_result_t<Body&, Transaction&>;
        std::optional<Value> value;
        const auto once = [&](Transaction& transaction) -> Result<void> {
            value.emplace(body(transaction));
            if (!value->has_value()) return value->error();
            return {};
        };
        if (auto done = run_body(
                options, {&once, [](const void* call,
                                    Transaction& transaction) { return (*static_cast<const decltype(once)*>(call))(transaction); }});
            !done) {
            return Value(done.error());
        }
        return std::move(*value);
    }
    template <typename Body>
    std::invoke_result_t<Body&, Transaction&> run(Body&& body) {
        return run(TransactionOptions{}, std::forward<Body>(body));
    }

    Result<Lease> borrow(const CallOptions& options = {});

    void set_breaker_mode(BreakerMode mode);
    void reset_breaker();
    ClientFigures figures() const;
    /// The same with the labels database (the one that is dialled), endpoint and role; several clients' go into one metrics_text().
    LabelledFigures labelled_figures() const;
    /// The figures as an OpenMetrics page.
    std::string metrics() const;
    /// Refuses new calls, waits for the running ones until the deadline, has their statements cancelled, drops the rest; tells what was
    /// dropped.
    CloseReport close(Duration patience);
    /// The statement that makes the table for keys.
    std::string key_table_sql() const;

    struct BodyCall {
        const void* body;
        Result<void> (*call)(const void* body, Transaction& transaction);
    };
    Result<void> run_body(const TransactionOptions& options, BodyCall body);

private:
    explicit Client(std::unique_ptr<ClientState> state) noexcept;
    std::unique_ptr<ClientState> state_;
};

}  // namespace howdah::inline v0
