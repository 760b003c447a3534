#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "client/values/bytes.hpp"
#include "howdah/codec.hpp"

namespace howdah::inline v0::codec {

namespace {

/// The whole text as a number in from_chars's form; none when something is left over or it does not fit.
template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number number{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string_view words(int bits) {
    if (bits == 16) return "a whole number of 16 bits";
    return bits == 32 ? "a whole number of 32 bits" : "a whole number of 64 bits";
}

std::optional<std::int64_t> binary_integer(const Cell& cell) {
    switch (cell.type) {
        case type::kInt2: return only<std::int16_t>(cell.bytes());
        case type::kInt4: return only<std::int32_t>(cell.bytes());
        case type::kOid: return only<std::uint32_t>(cell.bytes());
        default: return only<std::int64_t>(cell.bytes());
    }
}

/// The server writes NaN, Infinity and -Infinity, and finite values with the digits that give them back exactly.
template <typename Real>
std::optional<Real> real_of(std::string_view text) {
    if (text == "NaN") return std::numeric_limits<Real>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<Real>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<Real>::infinity();
    const auto number = number_of<Real>(text);
    return number && std::isfinite(*number) ? number : std::nullopt;
}

template <typename Real, typename Bits>
std::optional<Real> real_of(const Cell& cell) {
    if (!cell.binary) return real_of<Real>(cell.bytes());
    const auto bits = only<Bits>(cell.bytes());
    return bits ? std::optional(std::bit_cast<Real>(*bits)) : std::nullopt;
}

}  // namespace

Result<bool> read_bool(const Cell& cell) {
    constexpr std::string_view kWanted = "true or false";
    if (cell.type != type::kBool) return type_error(cell, kWanted, "bool");
    const std::string_view bytes = cell.bytes();
    const std::string_view yes = cell.binary ? std::string_view("\1", 1) : "t";
    const std::string_view no = cell.binary ? std::string_view("\0", 1) : "f";
    if (bytes != yes && bytes != no) return value_error(cell, kWanted);
    return bytes == yes;
}

Result<std::int64_t> read_integer(const Cell& cell, int bits) {
    if (cell.type != type::kInt8 && cell.type != type::kInt4 && cell.type != type::kInt2 && cell.type != type::kOid)
        return type_error(cell, words(bits), "int2, int4, int8 and oid");
    const auto number = cell.binary ? binary_integer(cell) : number_of<std::int64_t>(cell.bytes());
    if (!number) return value_error(cell, words(bits));
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
    if (*number > most || *number < -most - 1) return value_error(cell, words(bits), "read it as a longer one");
    return *number;
}

Result<float> read_float(const Cell& cell) {
    constexpr std::string_view kWanted = "a floating-point number of single precision";
    if (cell.type != type::kFloat4) return type_error(cell, kWanted, "float4");
    const auto number = real_of<float, std::uint32_t>(cell);
    if (!number) return value_error(cell, kWanted);
    return *number;
}

Result<double> read_double(const Cell& cell) {
    constexpr std::string_view kWanted = "a floating-point number";
    if (cell.type == type::kFloat4) {
        const auto single = read_float(cell);
        if (!single) return single.error();
        return static_cast<double>(*single);
    }
    if (cell.type != type::kFloat8) return type_error(cell, kWanted, "float4 and float8");
    const auto number = real_of<double, std::uint64_t>(cell);
    if (!number) return value_error(cell, kWanted);
    return *number;
}

}  // namespace howdah::inline v0::codec
