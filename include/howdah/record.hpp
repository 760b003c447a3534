#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "howdah/row.hpp"

namespace howdah::inline v0 {

/// A column and the member that takes its value.
template <typename Struct, typename Member>
struct Field {
    constexpr Field(std::string_view name, Member Struct::* into) : column(name), member(into) {}
    std::string_view column;
    Member Struct::* member;
};

/// Says which columns a struct is read from. Specialise it beside the struct, at global scope or in namespace howdah:
///
///     template <>
///     inline constexpr auto howdah::kFields<shop::User> = std::tuple{howdah::Field{"id", &shop::User::id},
///                                                                    howdah::Field{"name", &shop::User::name}};
///
/// The struct must be default-constructible. Columns that no field names are left alone; a field without its column is an error.
template <typename Struct>
inline constexpr auto kFields = nullptr;

template <typename T>
inline constexpr bool kHasFields = !std::is_null_pointer_v<std::remove_cv_t<decltype(kFields<T>)>>;

/// Reads rows of one answer as Ts: columns are looked up when it is made, with the first row, and every row is read with the same.
/// Any T but those below is the value of the only column.
template <typename T>
struct Record {
    explicit Record(const Row&) {}
    Result<T> read(const Row& row) const {
        if (row.columns() != 1) return row.wrong_count(1);
        return decode<T>(row.cell(0));
    }
};

template <typename... Values>
struct Record<std::tuple<Values...>> {
    explicit Record(const Row&) {}
    Result<std::tuple<Values...>> read(const Row& row) const {
        if (row.columns() != sizeof...(Values)) return row.wrong_count(sizeof...(Values));
        return read(row, std::index_sequence_for<Values...>());
    }

private:
    template <std::size_t... kAt>
    static Result<std::tuple<Values...>> read(const Row& row, std::index_sequence<kAt...>) {
        std::optional<Error> error;
        std::tuple<std::optional<Values>...> values;
        const auto one = [&]<typename Value>(std::size_t at, std::optional<Value>& into) {
            auto value = decode<Value>(row.cell(at));
            if (value) {
                into.emplace(std::move(*value));
            } else {
                error = value.error();
            }
            return value.has_value();
        };
        if (!(one(kAt, std::get<kAt>(values)) && ...)) return *error;
        return std::tuple<Values...>(std::move(*std::get<kAt>(values))...);
    }
};

template <typename T>
    requires kHasFields<T>
struct Record<T> {
    explicit Record(const Row& row) {
        std::size_t at = 0;
        std::apply([&](const auto&... field) { ((columns_[at++] = row.find_column(field.column)), ...); }, kFields<T>);
    }
    Result<T> read(const Row& row) const {
        T value{};
        std::optional<Error> error;
        std::size_t at = 0;
        std::apply([&](const auto&... field) { (void)(read_field(row, value, field, columns_[at++], error) && ...); }, kFields<T>);
        if (error) return *error;
        return value;
    }

private:
    template <typename Member>
    static bool read_field(const Row& row, T& into, const Field<T, Member>& field, std::optional<std::size_t> column,
                           std::optional<Error>& error) {
        if (!column) {
            error = row.no_column(field.column);
            return false;
        }
        auto value = decode<Member>(row.cell(*column));
        if (!value) {
            error = value.error();
            return false;
        }
        into.*field.member = std::move(*value);
        return true;
    }

    std::array<std::optional<std::size_t>, std::tuple_size_v<std::remove_cv_t<decltype(kFields<T>)>>> columns_;
};

}  // namespace howdah::inline v0
