#include "howdah/rows.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <string>

#include "client/values/answer.hpp"

namespace howdah::inline v0 {

namespace {

std::string_view name_of(const Answer* answer, std::size_t column) noexcept {
    const auto count = static_cast<std::size_t>(PQnfields(result_of(answer)));
    return column < count ? std::string_view(PQfname(result_of(answer), static_cast<int>(column))) : std::string_view();
}

/// The first column of a name, by its very letters (PQfnumber folds them).
std::optional<std::size_t> column_of(const Answer* answer, std::string_view name) noexcept {
    const auto count = static_cast<std::size_t>(PQnfields(result_of(answer)));
    for (std::size_t column = 0; column < count; ++column) {
        if (name_of(answer, column) == name) return column;
    }
    return std::nullopt;
}

Error misread(std::string what, std::string hint) { return Error(Phase::decode, Cause::usage, {std::move(what), {}, std::move(hint), {}}); }

/// The columns there are, for a hint; at most eight by name.
std::string columns_of(const Answer* answer) {
    const auto count = static_cast<std::size_t>(PQnfields(result_of(answer)));
    if (count == 0) return "the statement answers with no columns";
    std::string text = "the columns are ";
    for (std::size_t column = 0; column < count && column < 8; ++column)
        text += (column == 0 ? "\"" : ", \"") + std::string(name_of(answer, column)) + "\"";
    return count > 8 ? text + " and " + std::to_string(count - 8) + " more" : text;
}

}  // namespace

std::size_t Row::columns() const noexcept { return static_cast<std::size_t>(PQnfields(result_of(answer_))); }

std::optional<std::size_t> Row::find_column(std::string_view name) const noexcept { return column_of(answer_, name); }

Cell Row::cell(std::size_t column) const noexcept {
    PGresult* result = result_of(answer_);
    Cell cell;
    cell.row = row_;
    const int row = static_cast<int>(row_);
    const int at = static_cast<int>(column);
    // Asked beyond its end libpq would write a warning to standard error.
    if (column >= columns() || row_ >= static_cast<std::size_t>(PQntuples(result))) return cell;
    cell.column = PQfname(result, at);
    cell.type = PQftype(result, at);
    cell.binary = PQfformat(result, at) == 1;
    cell.size = static_cast<std::size_t>(PQgetlength(result, row, at));
    if (cell.size != 0 || PQgetisnull(result, row, at) == 0) cell.data = PQgetvalue(result, row, at);
    return cell;
}

Error Row::no_column(std::size_t column) const {
    return misread("there is no such column: number " + std::to_string(column) + ", counted from 0", columns_of(answer_));
}

Error Row::no_column(std::string_view name) const {
    return misread("there is no such column: \"" + std::string(name) + "\"", columns_of(answer_));
}

Error Row::wrong_count(std::size_t wanted) const {
    return misread("the number of columns is not " + std::to_string(wanted) + ": " + std::to_string(columns()), columns_of(answer_));
}

Rows::~Rows() { PQclear(result_of(answer_)); }

std::size_t Rows::size() const noexcept { return static_cast<std::size_t>(PQntuples(result_of(answer_))); }

std::size_t Rows::columns() const noexcept { return static_cast<std::size_t>(PQnfields(result_of(answer_))); }

std::string_view Rows::column_name(std::size_t column) const noexcept { return name_of(answer_, column); }

std::uint32_t Rows::column_type(std::size_t column) const noexcept {
    return column < columns() ? PQftype(result_of(answer_), static_cast<int>(column)) : 0;
}

std::optional<std::size_t> Rows::find_column(std::string_view name) const noexcept { return column_of(answer_, name); }

std::int64_t Rows::affected() const noexcept {
    if (answer_ == nullptr) return 0;
    const std::string_view count = PQcmdTuples(result_of(answer_));
    std::int64_t number = 0;
    std::from_chars(count.data(), count.data() + count.size(), number);
    return number;
}

std::string_view Rows::command_tag() const noexcept {
    return answer_ != nullptr ? std::string_view(PQcmdStatus(result_of(answer_))) : std::string_view();
}

Error Rows::not_one() const { return misread("the answer is not one row: " + std::to_string(size()) + " rows", {}); }

}  // namespace howdah::inline v0
