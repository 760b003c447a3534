#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "howdah/cell.hpp"
#include "howdah/codec.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// What libpq keeps of an answer; only the library knows what it is.
struct Answer;

template <typename T>
struct Record;

/// One row of an answer. It refers to its Rows, which may be moved meanwhile but must not end.
class Row {
public:
    Row(const Answer* answer, std::size_t row) noexcept : answer_(answer), row_(row) {}

    std::size_t columns() const noexcept;
    std::size_t index() const noexcept { return row_; }
    /// The first column with exactly that name.
    std::optional<std::size_t> find_column(std::string_view name) const noexcept;
    /// Beyond the last column or row a NULL whose column name is a null pointer.
    Cell cell(std::size_t column) const noexcept;

    /// The value as a T (howdah/codec.hpp says which). A std::string_view refers to the answer and lives as long as the Rows.
    template <typename T>
    Result<T> get(std::size_t column) const {
        const Cell value = cell(column);
        if (value.column.data() == nullptr) return no_column(column);
        return decode<T>(value);
    }
    template <typename T>
    Result<T> get(std::string_view column) const {
        const auto found = find_column(column);
        if (!found) return no_column(column);
        return get<T>(*found);
    }

    /// The whole row: a std::tuple by position, a struct with howdah::kFields by name, any other T as the only column (record.hpp).
    template <typename T>
    Result<T> as() const {
        return Record<T>(*this).read(*this);
    }

    /// The errors of asking for what is not there (phase decode, cause usage).
    Error no_column(std::size_t column) const;
    Error no_column(std::string_view name) const;
    Error wrong_count(std::size_t wanted) const;

private:
    const Answer* answer_;
    std::size_t row_;
};

}  // namespace howdah::inline v0
