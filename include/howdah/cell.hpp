#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// One value of an answer as the server sent it, and where it stood, for errors. It owns nothing.
struct Cell {
    const char* data = nullptr;  ///< Null for NULL.
    std::size_t size = 0;
    std::uint32_t type = 0;   ///< pg_type.oid; 0 when nobody knows, as for the elements of an array of an unknown type.
    bool binary = false;      ///< In the type's binary form instead of its text form.
    std::string_view column;  ///< Its name.
    std::size_t row = 0;      ///< From 0.
    std::size_t element = 0;  ///< Of an array, from 1; 0 for a whole value.

    bool is_null() const noexcept { return data == nullptr; }
    std::string_view bytes() const noexcept { return {data, size}; }
};

/// Errors of reading (phase decode, cause usage), for codecs: each names the column, the type seen and the value, shortened.
/// `wanted` is in words: "a whole number of 32 bits".
Error null_error(const Cell& cell);
Error type_error(const Cell& cell, std::string_view wanted, std::string_view accepted);
Error value_error(const Cell& cell, std::string_view wanted, std::string_view hint = {});

}  // namespace howdah::inline v0
