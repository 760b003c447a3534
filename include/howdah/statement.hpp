#pragma once

#include <cstdint>
#include <string>

namespace howdah::inline v0 {

/// A statement that each session prepares once, on its first use, and executes by name from then on. Make it once and keep it, as in
/// `static const howdah::Statement kFind{"SELECT name FROM item WHERE id = $1"};`. Behind a pooler it is sent as text each time.
class Statement {
public:
    explicit Statement(std::string sql);
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    const std::string& sql() const noexcept { return sql_; }
    /// Its number in this process, from 1.
    std::uint32_t number() const noexcept { return number_; }
    /// As the server knows it.
    const std::string& name() const noexcept { return name_; }
    /// The text that makes the server forget it.
    const std::string& forgetting() const noexcept { return forgetting_; }

private:
    std::string sql_;
    std::uint32_t number_;
    std::string name_;
    std::string forgetting_;
};

/// What to execute: the text of one statement, or a Statement. Refers to it; it must live until the call returns.
class Query {
public:
    Query(const char* sql) noexcept : sql_(sql) {}
    Query(const std::string& sql) noexcept : sql_(sql.c_str()) {}
    Query(const Statement& statement) noexcept : sql_(statement.sql().c_str()), statement_(&statement) {}

    const char* sql() const noexcept { return sql_; }
    const Statement* statement() const noexcept { return statement_; }

private:
    const char* sql_;
    const Statement* statement_ = nullptr;
};

}  // namespace howdah::inline v0
