#include "howdah/client.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "client/call/client_state.hpp"
#include "client/conninfo.hpp"
#include "client/fork.hpp"
#include "client/policy/option_check.hpp"

namespace howdah::inline v0 {

namespace {

using std::chrono::steady_clock;

DialPlan plan(const ClientOptions& options) {
    DialPlan plan;
    plan.options.conninfo = options.endpoint.conninfo;
    plan.options.settings = options.endpoint.settings;
    plan.password = options.password;
    plan.faults = options.faults;
    plan.identify = !options.endpoint.behind_pooler;
    return plan;
}

bool is_plain(std::string_view name) {
    constexpr std::size_t kLongest = 63;  // A longer one the server would cut short.
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto other = [](char c) { return (c >= '0' && c <= '9') || c == '$'; };
    return !name.empty() && name.size() <= kLongest && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || other(c); });
}

/// The name goes into statements that are made before there is a connection, without which libpq quotes nothing. So it is held to what
/// needs no escape within quotes, in any encoding; the quotes keep its case, and keywords apart.
Result<void> check_key_table(std::string_view name) {
    const std::size_t dot = name.find('.');
    const bool plain = dot == std::string_view::npos ? is_plain(name) : is_plain(name.substr(0, dot)) && is_plain(name.substr(dot + 1));
    if (plain) return {};
    return Error(Phase::configure, Cause::usage,
                 {"key_table is no plain name of a table: '" + std::string(name) + "'",
                  {},
                  "give table or schema.table, each at most 63 of a-z, A-Z, 0-9, _ and $ that begin with a letter or _",
                  {}});
}

std::string quoted(std::string_view name) {
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return '"' + std::string(name) + '"';
    return quoted(name.substr(0, dot)) + '.' + quoted(name.substr(dot + 1));
}

Result<void> check(const ClientOptions& options) {
    if (auto checked = check(options.endpoint.pool); !checked) return checked;
    if (auto checked = check(options.breaker); !checked) return checked;
    if (auto checked = check(options.failure_budget); !checked) return checked;
    if (auto checked = check(options.contention_budget); !checked) return checked;
    if (options.monitor) {
        if (auto checked = check(*options.monitor); !checked) return checked;
    }
    return check_key_table(options.key_table);
}

}  // namespace

ClientState::ClientState(ClientOptions given, std::string name_of_database)
    : options(std::move(given)),
      database(std::move(name_of_database)),
      key_insert("INSERT INTO " + quoted(options.key_table) + " (key) VALUES ($1)"),
      query_time(options.endpoint.query_time),
      with_faults(options.faults != nullptr),
      endpoint(options.name, {options.endpoint.pool, options.breaker, options.failure_budget, options.contention_budget, options.bulkhead},
               options.observer, steady_clock::now()),
      keeper(endpoint, plan(options), options.endpoint.pool, options.monitor, {options.breaker_mode_file, options.breaker.mode}) {}

Result<Client> Client::open(ClientOptions options) {
    if (auto checked = check(options); !checked) return checked.error();
    auto read = read_conninfo(options.endpoint.conninfo, {});
    if (!read) return read.error();
    watch_forks();
    return Client(std::make_unique<ClientState>(std::move(options), std::move(read->database)));
}

Client::Client(std::unique_ptr<ClientState> state) noexcept : state_(std::move(state)) {}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
    if (this != &other) {
        if (state_) close(Duration::zero());
        state_ = std::move(other.state_);
    }
    return *this;
}
Client::~Client() {
    if (state_) close(Duration::zero());
}

CloseReport Client::close(Duration patience) {
    Endpoint& endpoint = state_->endpoint;
    if (endpoint.forked()) return {};
    const Moment now = steady_clock::now();
    endpoint.close(now, after(now, patience));
    if (endpoint.kept_here()) return endpoint.close_report();
    // Past the leases' patience come the cancels' and the goodbyes' own bounds, so this ends; the extra is for a busy machine.
    endpoint.await_finished(after(after(now, patience), state_->options.endpoint.pool.cancel_time + std::chrono::seconds(5)));
    return endpoint.close_report();
}

void Client::set_breaker_mode(BreakerMode mode) { state_->endpoint.set_breaker_mode(steady_clock::now(), mode); }
void Client::reset_breaker() { state_->endpoint.reset_breaker(steady_clock::now()); }

std::string Client::key_table_sql() const {
    return "CREATE TABLE IF NOT EXISTS " + quoted(state_->options.key_table) +
           " (key text PRIMARY KEY, made timestamptz NOT NULL DEFAULT now())";
}

ClientFigures Client::figures() const {
    const Moment now = steady_clock::now();
    const MonitorFigures& monitor = state_->keeper.monitor();
    ClientFigures figures = state_->endpoint.figures(now);
    for (std::size_t kind = 0; kind < kRetryKinds; ++kind) {
        figures.retries[kind] = state_->retries[kind].load();
        (static_cast<Retry>(kind) == Retry::contention ? figures.retries_contention : figures.retries_failure) += figures.retries[kind];
    }
    figures.unknown_commits = state_->unknown_commits.load();
    figures.resolved_commits = state_->resolved_commits.load();
    figures.keeper_troubles = state_->keeper.troubles();
    figures.monitored = state_->keeper.monitored();
    figures.pings = monitor.pings.load();
    figures.ping_failures = monitor.failures.load();
    figures.last_ping_seconds = static_cast<double>(monitor.last_ping_ns.load()) * 1e-9;
    const Duration age = std::max<Duration>(now - state_->keeper.heartbeat(), Duration::zero());
    figures.heartbeat_age_seconds = std::chrono::duration<double>(age).count();
    return figures;
}

LabelledFigures Client::labelled_figures() const { return {state_->database, state_->options.name, state_->options.role, figures()}; }

std::string Client::metrics() const {
    const LabelledFigures one = labelled_figures();
    return metrics_text({&one, 1});
}

}  // namespace howdah::inline v0
