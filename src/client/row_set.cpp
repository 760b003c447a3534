#include "client/row_set.hpp"

#include <libpq-fe.h>

#include <charconv>

namespace howdah::inline v0 {

namespace {

/// libpq's inquiry functions take a non-const pointer where they change nothing a caller can see.
PGresult* handle(const std::shared_ptr<const pg_result>& result) { return const_cast<PGresult*>(result.get()); }

}  // namespace

std::size_t RowSet::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::size_t RowSet::columns() const { return static_cast<std::size_t>(PQnfields(result_.get())); }

std::string_view RowSet::column_name(std::size_t column) const {
    const char* name = PQfname(result_.get(), static_cast<int>(column));
    return name != nullptr ? name : std::string_view();
}

std::optional<std::size_t> RowSet::find_column(std::string_view name) const {
    for (std::size_t column = 0; column < columns(); ++column) {
        if (column_name(column) == name) return column;
    }
    return std::nullopt;
}

bool RowSet::is_null(std::size_t row, std::size_t column) const {
    return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view RowSet::text(std::size_t row, std::size_t column) const {
    const char* value = PQgetvalue(result_.get(), static_cast<int>(row), static_cast<int>(column));
    if (value == nullptr) return {};
    return {value, static_cast<std::size_t>(PQgetlength(result_.get(), static_cast<int>(row), static_cast<int>(column)))};
}

std::int64_t RowSet::affected() const {
    if (!result_) return 0;
    const std::string_view count = PQcmdTuples(handle(result_));
    std::int64_t number = 0;
    std::from_chars(count.data(), count.data() + count.size(), number);
    return number;
}

std::string_view RowSet::command_tag() const { return result_ ? std::string_view(PQcmdStatus(handle(result_))) : std::string_view(); }

}  // namespace howdah::inline v0
