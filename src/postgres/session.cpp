#include "postgres/session.hpp"

#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "client/connection.hpp"
#include "postgres/session_failure.hpp"

namespace howdah::postgres {

namespace {

using base::Failure;
using base::FailureKind;
using std::chrono::steady_clock;

constexpr int kFirstWithTransactionTimeout = 170000;

Deadline deadline_in(std::chrono::milliseconds time) { return time.count() == 0 ? kNoDeadline : steady_clock::now() + time; }

DialOptions dial_options(const std::string& conninfo, const SessionOptions& options) {
    DialOptions dial;
    dial.conninfo = conninfo;
    dial.overrides = {{"client_encoding", "UTF8"}, {"application_name", options.application_name}};
    if (!options.database.empty()) dial.overrides.emplace_back("dbname", options.database);
    if (options.replication) dial.overrides.emplace_back("replication", "true");
    // Sent with the login, they win over what ALTER ROLE and ALTER DATABASE have set and cost no round trip.
    dial.settings = {{"datestyle", "ISO"},       {"timezone", "UTC"},   {"search_path", "pg_catalog"},
                     {"statement_timeout", "0"}, {"lock_timeout", "0"}, {"idle_in_transaction_session_timeout", "0"}};
    return dial;
}

template <typename Number>
Number parse_number(const Rows& rows, std::size_t row, std::size_t column) {
    const std::string_view text = rows.text(row, column);
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw Failure(FailureKind::operation, fmt::format("reading column \"{}\" as a number: \"{}\"", rows.column_name(column), text));
    }
    return number;
}

}  // namespace

ServerFailure::ServerFailure(FailureKind kind, std::string what, std::string sqlstate, std::string hint)
    : Failure(kind, std::move(what), std::move(hint)), sqlstate_(std::move(sqlstate)) {}
ServerFailure::~ServerFailure() = default;

struct Rows::Data {
    RowSet set;
};

std::size_t Rows::size() const { return data_->set.size(); }
std::size_t Rows::columns() const { return data_->set.columns(); }
std::string_view Rows::column_name(std::size_t column) const { return data_->set.column_name(column); }
bool Rows::is_null(std::size_t row, std::size_t column) const { return data_->set.is_null(row, column); }
std::string_view Rows::text(std::size_t row, std::size_t column) const { return data_->set.text(row, column); }
std::int64_t Rows::affected() const { return data_->set.affected(); }

std::size_t Rows::column(std::string_view name) const {
    if (const auto found = data_->set.find_column(name)) return *found;
    throw Failure(FailureKind::operation, fmt::format("reading a result: it has no column \"{}\"", name));
}

std::int64_t Rows::integer(std::size_t row, std::size_t column) const { return parse_number<std::int64_t>(*this, row, column); }
double Rows::real(std::size_t row, std::size_t column) const { return parse_number<double>(*this, row, column); }

bool Rows::boolean(std::size_t row, std::size_t column) const {
    const std::string_view value = text(row, column);
    if (value == "t" || value == "f") return value == "t";
    throw Failure(FailureKind::operation, fmt::format("reading column \"{}\" as a truth value: \"{}\"", column_name(column), value));
}

struct Session::Impl {
    Connection connection;
    SessionOptions options;
    base::Cancellation cancellation;
    int version;
    int backend_pid;

    Deadline deadline() const { return deadline_in(options.statement_timeout); }
    Rows checked(Result<RowSet> answer, const std::string& sql) const {
        if (!answer) throw_statement_failure(answer.error(), sql);
        return Rows(std::make_shared<const Rows::Data>(Rows::Data{std::move(*answer)}));
    }
    std::string quoted(std::optional<std::string> text, const char* what) const {
        if (text) return std::move(*text);
        throw ServerFailure(FailureKind::operation, fmt::format("quoting a {}: it is not valid UTF-8, or the connection is gone", what),
                            {});
    }
};

Session::Session(const std::string& conninfo, const SessionOptions& options, const base::Cancellation& cancellation) {
    auto connection = Connection::dial(dial_options(conninfo, options), deadline_in(options.connect_timeout), cancellation.token());
    if (!connection) throw_dial_failure(connection.error());
    const int version = connection->server_version();
    // Older servers would refuse a login that names it. A session for replication has no transactions.
    if (version >= kFirstWithTransactionTimeout && !options.replication) {
        const auto set =
            connection->execute_simple("SET transaction_timeout = 0", deadline_in(options.connect_timeout), cancellation.token());
        if (!set) throw_statement_failure(set.error(), "SET transaction_timeout = 0");
    }
    const int backend_pid = connection->backend_pid();
    impl_ = std::make_unique<Impl>(Impl{std::move(*connection), options, cancellation, version, backend_pid});
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Rows Session::query(const std::string& sql, std::span<const Parameter> parameters) {
    const auto stop = impl_->cancellation.token();
    if (!impl_->options.replication) return impl_->checked(impl_->connection.execute(sql, parameters, impl_->deadline(), stop), sql);
    if (!parameters.empty())
        throw Failure(FailureKind::operation, "a replication session takes no parameters: \"" + shortened_statement(sql) + "\"");
    return impl_->checked(impl_->connection.execute_simple(sql, impl_->deadline(), stop), sql);
}

Rows Session::query(const std::string& sql, std::initializer_list<Parameter> parameters) {
    return query(sql, std::span<const Parameter>(parameters.begin(), parameters.size()));
}

std::string Session::value(const std::string& sql, std::initializer_list<Parameter> parameters) {
    const Rows rows = query(sql, parameters);
    if (rows.size() != 1 || rows.columns() == 0) {
        throw Failure(FailureKind::operation,
                      fmt::format("statement \"{}\": {} rows where one was awaited", shortened_statement(sql), rows.size()));
    }
    return std::string(rows.text(0, 0));
}

void Session::script(const std::string& sql) {
    impl_->checked(impl_->connection.execute_simple(sql, impl_->deadline(), impl_->cancellation.token()), sql);
}

void Session::copy_in(const std::string& sql, std::string_view data) {
    impl_->checked(impl_->connection.copy_in(sql, data, impl_->deadline(), impl_->cancellation.token()), sql);
}

int Session::version() const { return impl_->version; }
int Session::backend_pid() const { return impl_->backend_pid; }
bool Session::alive() const { return impl_->connection.alive(); }

std::string Session::quote_identifier(std::string_view name) const {
    return impl_->quoted(impl_->connection.quote_identifier(name), "name");
}
std::string Session::quote_literal(std::string_view text) const { return impl_->quoted(impl_->connection.quote_literal(text), "literal"); }

bool Session::probe() {
    constexpr std::chrono::milliseconds kProbeTimeout{10'000};
    const auto limit = impl_->options.statement_timeout.count() == 0 ? kProbeTimeout : impl_->options.statement_timeout;
    return impl_->connection.execute_simple("", deadline_in(limit), impl_->cancellation.token()).has_value();
}

}  // namespace howdah::postgres
