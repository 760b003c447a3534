#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "howdah/record.hpp"
#include "howdah/result.hpp"
#include "howdah/row.hpp"

namespace howdah::inline v0 {

/// The answer to one statement: libpq's own memory of it, nothing copied. It can be moved; rows, and texts read from them, stay valid
/// then and end with it.
class Rows {
public:
    Rows() = default;
    /// Takes it over.
    explicit Rows(Answer* answer) noexcept : answer_(answer) {}
    Rows(Rows&& other) noexcept : answer_(std::exchange(other.answer_, nullptr)) {}
    Rows& operator=(Rows&& other) noexcept {
        std::swap(answer_, other.answer_);
        return *this;
    }
    ~Rows();

    std::size_t size() const noexcept;
    bool empty() const noexcept { return size() == 0; }
    std::size_t columns() const noexcept;
    /// Empty, and type 0, beyond the last column. The type is pg_type.oid.
    std::string_view column_name(std::size_t column) const noexcept;
    std::uint32_t column_type(std::size_t column) const noexcept;
    /// The first column with exactly that name.
    std::optional<std::size_t> find_column(std::string_view name) const noexcept;
    /// Rows touched by INSERT, UPDATE, DELETE, MERGE or COPY, or returned; zero for other statements.
    std::int64_t affected() const noexcept;
    /// What the server calls what it did, such as "INSERT 0 1". A COMMIT of a failed transaction answers "ROLLBACK" here.
    std::string_view command_tag() const noexcept;

    /// `row` must exist.
    Row operator[](std::size_t row) const noexcept { return {answer_, row}; }
    class Iterator;
    Iterator begin() const noexcept;
    Iterator end() const noexcept;

    /// Every row as a T (Row::as); the first that cannot be read so is the error. Columns are looked up once.
    template <typename T>
    Result<std::vector<T>> all() const;
    /// The only row as a T; none and several are errors.
    template <typename T>
    Result<T> one() const;
    /// The same where there may be none.
    template <typename T>
    Result<std::optional<T>> maybe() const;

private:
    Error not_one() const;
    Answer* answer_ = nullptr;
};

class Rows::Iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    using pointer = const Row*;
    using reference = Row;

    Iterator() = default;
    Iterator(const Answer* answer, std::size_t row) noexcept : answer_(answer), row_(row) {}
    Row operator*() const noexcept { return {answer_, row_}; }
    Iterator& operator++() noexcept {
        ++row_;
        return *this;
    }
    Iterator operator++(int) noexcept { return {answer_, row_++}; }
    friend bool operator==(const Iterator&, const Iterator&) noexcept = default;

private:
    const Answer* answer_ = nullptr;
    std::size_t row_ = 0;
};

inline Rows::Iterator Rows::begin() const noexcept { return {answer_, 0}; }
inline Rows::Iterator Rows::end() const noexcept { return {answer_, size()}; }

template <typename T>
Result<std::vector<T>> Rows::all() const {
    std::vector<T> values;
    if (empty()) return values;
    const Record<T> record((*this)[0]);
    values.reserve(size());
    for (const Row row : *this) {
        auto value = record.read(row);
        if (!value) return value.error();
        values.push_back(std::move(*value));
    }
    return values;
}

template <typename T>
Result<T> Rows::one() const {
    if (size() != 1) return not_one();
    return (*this)[0].as<T>();
}

template <typename T>
Result<std::optional<T>> Rows::maybe() const {
    if (empty()) return std::optional<T>();
    auto value = one<T>();
    if (!value) return value.error();
    return std::optional<T>(std::move(*value));
}

}  // namespace howdah::inline v0
