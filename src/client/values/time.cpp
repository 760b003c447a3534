#include <charconv>
#include <chrono>
#include <limits>
#include <string>

#include "client/values/bytes.hpp"
#include "howdah/codec.hpp"

namespace howdah::inline v0::codec {

namespace {

using std::chrono::days;
using std::chrono::microseconds;

/// From 1970 to 2000, where the server's binary times begin.
constexpr days kServerEpoch{10957};
constexpr std::int64_t kServerEpochMicroseconds = microseconds(kServerEpoch).count();
/// The server's own bounds (datatype/timestamp.h): the first it has and the first it has not; microseconds from 2000, days from 1970.
constexpr std::int64_t kFirstMicrosecond = -211'813'488'000'000'000;
constexpr std::int64_t kEndMicrosecond = 9'223'371'331'200'000'000;
constexpr std::int64_t kFirstDay = kServerEpoch.count() - 2'451'545;
constexpr std::int64_t kEndDay = kServerEpoch.count() + 2'145'031'949;
constexpr std::int64_t kDayMicroseconds = 86'400'000'000;

constexpr std::string_view kDateStyleHint = "only DateStyle ISO is read; what is beyond the year 294247 is not";

/// Reads the parts of a date or time from the front of a text. Once something does not fit, nothing fits any more.
class TimeText {
public:
    explicit TimeText(std::string_view text) : rest_(text) {}

    bool good() const { return good_; }
    bool finished() const { return good_ && rest_.empty(); }
    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    void need(std::string_view word) { good_ = take(word) && good_; }
    /// A number of `least` to `most` digits, not above `limit`.
    std::int64_t number(std::size_t least, std::size_t most, std::int64_t limit) {
        std::int64_t value = 0;
        std::size_t digits = 0;
        for (; digits < most && digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits)
            value = value * 10 + (rest_[digits] - '0');
        rest_.remove_prefix(digits);
        good_ = good_ && digits >= least && value <= limit;
        return value;
    }
    void fail() { good_ = false; }
    bool take_last(std::string_view word) {
        if (!rest_.ends_with(word)) return false;
        rest_.remove_suffix(word.size());
        return true;
    }

private:
    std::string_view rest_;
    bool good_ = true;
};

/// Days from 1970 of a date of the proleptic Gregorian calendar; std::chrono counts years in 16 bits, so its part is one cycle of 400.
std::optional<std::int64_t> days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
    const std::int64_t cycle = (year >= 0 ? year : year - 399) / 400;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(2000 + year - cycle * 400)),
                                           std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count() + (cycle - 5) * 146'097;
}

/// "2024-02-29", with " BC" taken from the end before.
std::optional<std::int64_t> read_day(TimeText& text, bool before_christ) {
    const std::int64_t year = text.number(4, 7, 9'999'999);
    text.need("-");
    const std::int64_t month = text.number(2, 2, 12);
    text.need("-");
    const std::int64_t day = text.number(2, 2, 31);
    if (!text.good() || year == 0) return std::nullopt;
    return days_of(before_christ ? 1 - year : year, month, day);
}

/// "23:59:59.999999" in microseconds.
std::int64_t read_time_of_day(TimeText& text) {
    const std::int64_t hours = text.number(2, 2, 23);
    text.need(":");
    const std::int64_t minutes = text.number(2, 2, 59);
    text.need(":");
    const std::int64_t seconds = text.number(2, 2, 59);
    std::int64_t fraction = 0;
    if (text.take(".")) {
        std::size_t digits = 0;
        for (; digits < 6; ++digits) {
            const bool first = digits == 0;
            const std::int64_t digit = text.number(first ? 1 : 0, 1, 9);
            fraction = fraction * 10 + digit;
        }
    }
    return ((hours * 60 + minutes) * 60 + seconds) * 1'000'000 + fraction;
}

/// "+00", "-03:30", "+00:19:32" in microseconds east of Greenwich.
std::int64_t read_zone(TimeText& text) {
    const bool west = text.take("-");
    if (!west) text.need("+");
    std::int64_t seconds = text.number(2, 2, 15) * 3600;
    if (text.take(":")) seconds += text.number(2, 2, 59) * 60;
    if (text.take(":")) seconds += text.number(2, 2, 59);
    return (west ? -seconds : seconds) * 1'000'000;
}

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

/// Microseconds from 1970, the ends for the infinities.
std::optional<std::int64_t> timestamp_of(std::string_view bytes, bool zoned) {
    if (bytes == "infinity") return kMost;
    if (bytes == "-infinity") return kLeast;
    TimeText text(bytes);
    const bool before_christ = text.take_last(" BC");
    const auto day = read_day(text, before_christ);
    text.need(" ");
    std::int64_t rest = read_time_of_day(text);
    if (zoned) rest -= read_zone(text);
    std::int64_t moment = 0;
    if (!day || !text.finished() || __builtin_mul_overflow(*day, kDayMicroseconds, &moment) ||
        __builtin_add_overflow(moment, rest, &moment) || moment == kMost || moment == kLeast)
        return std::nullopt;
    return moment;
}

std::optional<std::int64_t> binary_timestamp_of(std::string_view bytes) {
    const auto moment = only<std::int64_t>(bytes);
    if (!moment || *moment == kMost || *moment == kLeast) return moment;
    std::int64_t since_1970 = 0;
    if (__builtin_add_overflow(*moment, kServerEpochMicroseconds, &since_1970) || since_1970 == kMost) return std::nullopt;
    return since_1970;
}

Result<std::int64_t> read_moment(const Cell& cell, std::uint32_t type, std::string_view wanted, std::string_view accepted) {
    if (cell.type != type) return type_error(cell, wanted, accepted);
    const auto moment = cell.binary ? binary_timestamp_of(cell.bytes()) : timestamp_of(cell.bytes(), type == type::kTimestamptz);
    if (!moment) return value_error(cell, wanted, kDateStyleHint);
    return *moment;
}

}  // namespace

Result<Timestamp> read_timestamp(const Cell& cell) {
    const auto moment = read_moment(cell, type::kTimestamptz, "a moment", "timestamptz");
    if (!moment) return moment.error();
    return Timestamp(microseconds(*moment));
}

Result<LocalTimestamp> read_local_timestamp(const Cell& cell) {
    const auto moment = read_moment(cell, type::kTimestamp, "a time without a zone", "timestamp");
    if (!moment) return moment.error();
    return LocalTimestamp(microseconds(*moment));
}

Result<Date> read_date(const Cell& cell) {
    constexpr std::string_view kWanted = "a date";
    if (cell.type != type::kDate) return type_error(cell, kWanted, "date");
    if (cell.binary) {
        const auto day = only<std::int32_t>(cell.bytes());
        if (!day) return value_error(cell, kWanted);
        if (*day == std::numeric_limits<std::int32_t>::max()) return kLastDate;
        if (*day == std::numeric_limits<std::int32_t>::min()) return kFirstDate;
        return Date(days(*day) + kServerEpoch);
    }
    if (cell.bytes() == "infinity") return kLastDate;
    if (cell.bytes() == "-infinity") return kFirstDate;
    TimeText text(cell.bytes());
    const bool before_christ = text.take_last(" BC");
    const auto day = read_day(text, before_christ);
    if (!day || !text.finished()) return value_error(cell, kWanted, kDateStyleHint);
    return Date(days(*day));
}

void fail_timestamp(ParameterList& list) {
    list.fail("a moment is outside of what the server has: before 4713 BC or after the year 294276",
              "give kForever or kBeginning for the infinities");
}

void write_timestamp(ParameterList& list, Timestamp::duration since_1970, std::uint32_t type) {
    std::int64_t moment = since_1970.count();
    if (moment != kMost && moment != kLeast) {
        if (__builtin_sub_overflow(moment, kServerEpochMicroseconds, &moment) || moment < kFirstMicrosecond || moment >= kEndMicrosecond)
            return fail_timestamp(list);
    }
    list.add_number(moment, type);
}

void write_date(ParameterList& list, Date date) {
    if (date == kLastDate) return list.add_number(std::numeric_limits<std::int32_t>::max(), type::kDate);
    if (date == kFirstDate) return list.add_number(std::numeric_limits<std::int32_t>::min(), type::kDate);
    const std::int64_t since_1970 = date.time_since_epoch().count();
    if (since_1970 < kFirstDay || since_1970 >= kEndDay) {
        return list.fail("a date is outside of what the server has: day " + std::to_string(since_1970) + " from 1970",
                         "give kLastDate or kFirstDate for the infinities");
    }
    list.add_number(static_cast<std::int32_t>(since_1970 - kServerEpoch.count()), type::kDate);
}

}  // namespace howdah::inline v0::codec
