#include <algorithm>
#include <charconv>
#include <string>

#include "client/values/bytes.hpp"
#include "howdah/codec.hpp"
#include "howdah/value.hpp"

namespace howdah::inline v0 {

namespace {

/// numeric.c: NUMERIC_WEIGHT_MAX and NUMERIC_DSCALE_MAX in decimal digits.
constexpr std::size_t kMostBefore = 131072;
constexpr std::size_t kMostAfter = 16383;
constexpr std::string_view kWanted = "an exact decimal number";

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_numeric(std::string_view text) {
    if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view before = text.substr(0, point);
    const std::string_view after = point < text.size() ? text.substr(point + 1) : std::string_view();
    return before.size() + after.size() > 0 && before.size() <= kMostBefore && after.size() <= kMostAfter &&
           std::all_of(before.begin(), before.end(), is_digit) && std::all_of(after.begin(), after.end(), is_digit);
}

Error wrong(std::string what, std::string hint) { return Error(Phase::encode, Cause::usage, {std::move(what), {}, std::move(hint), {}}); }

/// The digits of base 10000 as numeric_send writes them, made into text as numeric_out would.
std::optional<std::string> decimal_of(std::string_view bytes) {
    constexpr std::uint16_t kNegative = 0x4000, kNaN = 0xC000, kInfinity = 0xD000, kMinusInfinity = 0xF000;
    BytesReader reader(bytes);
    const auto count = reader.next<std::uint16_t>();
    const auto weight = reader.next<std::int16_t>();
    const auto sign = reader.next<std::uint16_t>();
    const auto scale = reader.next<std::uint16_t>();
    if (!scale || reader.rest().size() != std::size_t{2} * *count || *scale > kMostAfter) return std::nullopt;
    if (*sign == kNaN) return "NaN";
    if (*sign == kInfinity) return "Infinity";
    if (*sign == kMinusInfinity) return "-Infinity";
    if (*sign != 0 && *sign != kNegative) return std::nullopt;

    std::string digits(std::size_t{4} * *count, '0');
    for (std::size_t at = 0; at < digits.size(); at += 4) {
        auto group = static_cast<unsigned>(*reader.next<std::uint16_t>());
        if (group > 9999) return std::nullopt;
        for (std::size_t place = 4; place-- > 0; group /= 10) digits[at + place] = static_cast<char>('0' + group % 10);
    }
    // The point stands after this many of the digits; before the first, or after the last, zeros are meant.
    const std::int64_t point = (std::int64_t{*weight} + 1) * 4;
    const auto digit = [&](std::int64_t at) {
        return at >= 0 && at < static_cast<std::int64_t>(digits.size()) ? digits[static_cast<std::size_t>(at)] : '0';
    };
    std::string text;
    for (std::int64_t at = 0; at < point; ++at) text += digit(at);
    text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
    if (text.empty()) text = "0";
    if (*scale > 0) text += '.';
    for (std::int64_t at = point; at < point + *scale; ++at) text += digit(at);
    return *sign == kNegative ? "-" + text : text;
}

}  // namespace

Result<Numeric> Numeric::parse(std::string_view text) {
    if (is_numeric(text)) return Numeric(std::string(text));
    constexpr std::size_t kMostShown = 40;
    return wrong("not an exact decimal number: " + std::string(text.substr(0, kMostShown)) + (text.size() > kMostShown ? "…" : ""),
                 "give digits with at most one point and no exponent, or NaN, Infinity, -Infinity");
}

std::string Numeric::significant() const {
    if (is_nan() || is_infinite()) return text_;
    std::string_view rest = text_;
    if (rest.front() == '-' || rest.front() == '+') rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of('0'), rest.size()));
    if (rest.find('.') != std::string_view::npos) {
        rest = rest.substr(0, rest.find_last_not_of('0') + 1);
        if (rest.back() == '.') rest.remove_suffix(1);
    }
    if (rest.empty()) return "0";
    return (is_negative() ? "-" : "") + std::string(rest);
}

Result<std::int64_t> Numeric::integer() const {
    const std::string text = significant();
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc() && end == text.data() + text.size()) return number;
    return Error(Phase::decode, Cause::usage,
                 {"not a whole number of 64 bits: " + text_.substr(0, 40), {}, "round it in the statement", {}});
}

Result<Numeric> codec::read_numeric(const Cell& cell) {
    const bool whole = cell.type == type::kInt2 || cell.type == type::kInt4 || cell.type == type::kInt8;
    if (cell.type != type::kNumeric && !whole) return type_error(cell, kWanted, "numeric, int2, int4 and int8");
    if (cell.binary && whole) {
        const auto number = read_integer(cell, 64);
        if (!number) return number.error();
        return Numeric(*number);
    }
    const auto text = cell.binary ? decimal_of(cell.bytes()) : std::optional<std::string>();
    if (cell.binary && !text) return value_error(cell, kWanted);
    auto number = Numeric::parse(cell.binary ? std::string_view(*text) : cell.bytes());
    if (!number) return value_error(cell, kWanted);
    return number;
}

}  // namespace howdah::inline v0
