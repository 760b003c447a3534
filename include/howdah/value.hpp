#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// The server's timestamptz: a moment, to the microsecond. Its own infinities are the two ends of the C++ type, which no finite value
/// of the server is read as: what lies beyond is an error.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
/// The server's timestamp without time zone: what a clock on the wall shows, and never converted from or to a moment.
using LocalTimestamp = std::chrono::local_time<std::chrono::microseconds>;
/// The server's date, likewise with its infinities at the ends.
using Date = std::chrono::sys_days;

inline constexpr Timestamp kForever = Timestamp::max();    ///< 'infinity'
inline constexpr Timestamp kBeginning = Timestamp::min();  ///< '-infinity'
inline constexpr LocalTimestamp kLocalForever = LocalTimestamp::max();
inline constexpr LocalTimestamp kLocalBeginning = LocalTimestamp::min();
inline constexpr Date kLastDate = Date::max();   ///< 'infinity'
inline constexpr Date kFirstDate = Date::min();  ///< '-infinity'

/// Sixteen bytes in the order in which the text form shows them.
struct Uuid {
    std::array<std::byte, 16> bytes{};

    /// Thirty-two hexadecimal digits, in braces or not, a hyphen allowed after each four: what the server takes.
    static Result<Uuid> parse(std::string_view text);
    /// Lower case, 8-4-4-4-12.
    std::string text() const;
    friend bool operator==(const Uuid&, const Uuid&) = default;
    friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

/// An exact decimal number, kept as its digits: nothing here goes through a double. Scale is kept: 1.50 stays 1.50.
class Numeric {
public:
    Numeric() : text_("0") {}
    explicit Numeric(std::int64_t number) : text_(std::to_string(number)) {}
    /// An optional sign, digits with at most one point among them, and nothing else; or NaN, Infinity, -Infinity (servers before 14 know
    /// no infinity and refuse it). At most 131072 digits before and 16383 after the point, the server's own limits.
    static Result<Numeric> parse(std::string_view text);

    const std::string& text() const noexcept { return text_; }
    bool is_nan() const noexcept { return text_ == "NaN"; }
    bool is_infinite() const noexcept { return text_ == "Infinity" || text_ == "-Infinity"; }
    bool is_negative() const noexcept { return text_.front() == '-'; }
    /// The whole number it is; an error for fractions, NaN, the infinities and what does not fit.
    Result<std::int64_t> integer() const;
    /// By value: 1.50 equals 1.5, and NaN equals NaN as it does in the server.
    friend bool operator==(const Numeric& a, const Numeric& b) { return a.significant() == b.significant(); }

private:
    explicit Numeric(std::string text) : text_(std::move(text)) {}
    /// The same number with nothing in it that does not count.
    std::string significant() const;
    std::string text_;
};

/// The text of a json or jsonb value. It is not checked here: the server does.
struct Json {
    std::string text;
    friend bool operator==(const Json&, const Json&) = default;
};

}  // namespace howdah::inline v0
