#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

struct pg_result;

namespace howdah::inline v0 {

/// The answer to one statement, all values in text form. Copies share the data; rows and columns count from zero and must exist.
class RowSet {
public:
    RowSet() = default;
    explicit RowSet(std::shared_ptr<const pg_result> result) : result_(std::move(result)) {}

    std::size_t size() const;
    std::size_t columns() const;
    std::string_view column_name(std::size_t column) const;
    /// The first column with exactly that name.
    std::optional<std::size_t> find_column(std::string_view name) const;
    bool is_null(std::size_t row, std::size_t column) const;
    /// Empty for NULL. Lives as long as any copy of the set.
    std::string_view text(std::size_t row, std::size_t column) const;
    /// Rows touched by INSERT, UPDATE, DELETE, MERGE or COPY, or returned; zero for other statements.
    std::int64_t affected() const;
    /// What the server calls what it did, such as "INSERT 0 1". A COMMIT of a failed transaction answers "ROLLBACK" here.
    std::string_view command_tag() const;

private:
    std::shared_ptr<const pg_result> result_;
};

}  // namespace howdah::inline v0
