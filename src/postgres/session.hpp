#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancellation.hpp"
#include "base/failure.hpp"
#include "base/units.hpp"

namespace howdah::postgres {

/// A statement the server refused: SQLSTATE beside the message. `kind` is `operation` unless the connection is the matter (`server`).
class ServerFailure : public base::Failure {
public:
    ServerFailure(base::FailureKind kind, std::string what, std::string sqlstate, std::string hint = {});
    ~ServerFailure() override;
    const std::string& sqlstate() const noexcept { return sqlstate_; }

private:
    std::string sqlstate_;
};

/// One value sent as a parameter in text form; std::nullopt is NULL.
using Parameter = std::optional<std::string>;

/// A result, all text. Cheap to move. Rows and columns count from zero.
class Rows {
public:
    struct Data;
    explicit Rows(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
    std::size_t size() const;
    std::size_t columns() const;
    std::string_view column_name(std::size_t column) const;
    bool is_null(std::size_t row, std::size_t column) const;
    /// Empty for NULL.
    std::string_view text(std::size_t row, std::size_t column) const;
    /// The number of the column with that name; Failure when there is none.
    std::size_t column(std::string_view name) const;
    std::int64_t integer(std::size_t row, std::size_t column) const;
    double real(std::size_t row, std::size_t column) const;
    bool boolean(std::size_t row, std::size_t column) const;
    /// Rows touched by an INSERT, UPDATE, DELETE or COPY.
    std::int64_t affected() const;

private:
    std::shared_ptr<const Data> data_;
};

struct SessionOptions {
    std::chrono::milliseconds connect_timeout{10'000};  ///< Covers name look-up, dialling, TLS and login together.
    std::chrono::milliseconds statement_timeout{0};  ///< Client-side deadline of each call; 0: none. The session is cancelled and dropped.
    std::string application_name = "howdah";
    std::string database;  ///< Overrides the conninfo's database.
    bool replication = false;
};

/// A session that throws: every call either gives its result or throws ServerFailure. Settings at connect: UTF8, ISO dates, UTC,
/// search_path pg_catalog (marketplace loads set their own), none of the server's own timeouts but idle_session_timeout, no client notices on standard error. Used by one thread at a time.
class Session {
public:
    /// Dials; ServerFailure(kind server) with phase, host and port in its text, and the password never.
    Session(const std::string& conninfo, const SessionOptions& options, const base::Cancellation& cancellation = {});
    explicit Session(const std::string& conninfo) : Session(conninfo, SessionOptions{}) {}
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    /// One statement with parameters $1... in text form.
    Rows query(const std::string& sql, std::span<const Parameter> parameters = {});
    Rows query(const std::string& sql, std::initializer_list<Parameter> parameters);
    /// The first column of the only row, as text; Failure when there is not exactly one row.
    std::string value(const std::string& sql, std::initializer_list<Parameter> parameters = {});
    /// Several statements separated by semicolons, no parameters, results thrown away.
    void script(const std::string& sql);
    /// COPY ... FROM STDIN with the whole data at once.
    void copy_in(const std::string& sql, std::string_view data);

    /// 150018 for 15.18.
    int version() const;
    int major() const { return version() / 10000; }
    /// The server's process serving this session.
    int backend_pid() const;
    bool alive() const;
    /// libpq's own quoting for names and literals.
    std::string quote_identifier(std::string_view name) const;
    std::string quote_literal(std::string_view text) const;
    /// One empty round trip, bounded by the statement timeout (10 s when there is none): false when the connection is gone.
    bool probe();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace howdah::postgres
