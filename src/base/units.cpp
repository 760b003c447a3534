#include "base/units.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <utility>

namespace howdah::base {

namespace {

template <typename Number>
std::optional<Number> whole_number(std::string_view digits, int radix = 10) {
    Number value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, radix);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

/// "90 d" as 90 and "d": blanks around and between are allowed, a sign or a fraction is not.
std::optional<std::pair<std::uint64_t, std::string_view>> number_and_unit(std::string_view text) {
    const auto trim = [](std::string_view part) {
        while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
        while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
        return part;
    };
    text = trim(text);
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = whole_number<std::uint64_t>(text.substr(0, end));
    if (!number) return std::nullopt;
    return std::pair(*number, trim(text.substr(end)));
}

struct NamedScale {
    std::string_view name;
    std::uint64_t factor;
};
constexpr std::uint64_t kKibi = 1024;
constexpr std::array kByteUnits = {
    NamedScale{"", 1},
    NamedScale{"B", 1},
    NamedScale{"kB", kKibi},
    NamedScale{"KB", kKibi},
    NamedScale{"KiB", kKibi},
    NamedScale{"MB", kKibi* kKibi},
    NamedScale{"MiB", kKibi* kKibi},
    NamedScale{"GB", kKibi* kKibi* kKibi},
    NamedScale{"GiB", kKibi* kKibi* kKibi},
    NamedScale{"TB", kKibi* kKibi* kKibi* kKibi},
    NamedScale{"TiB", kKibi* kKibi* kKibi* kKibi},
};
constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::array kTimeUnits = {
    NamedScale{"us", 1},
    NamedScale{"ms", 1'000},
    NamedScale{"", kSecond},
    NamedScale{"s", kSecond},
    NamedScale{"sec", kSecond},
    NamedScale{"min", 60 * kSecond},
    NamedScale{"h", 3600 * kSecond},
    NamedScale{"d", 86'400 * kSecond},
    NamedScale{"w", 7 * 86'400 * kSecond},
};

template <std::size_t Count>
std::optional<std::uint64_t> scaled(std::string_view text, const std::array<NamedScale, Count>& units) {
    const auto parts = number_and_unit(text);
    if (!parts) return std::nullopt;
    for (const NamedScale& unit : units) {
        std::uint64_t product = 0;
        if (unit.name == parts->second)
            return __builtin_mul_overflow(parts->first, unit.factor, &product) ? std::nullopt : std::optional(product);
    }
    return std::nullopt;
}

/// Reads a timestamp from the left, piece by piece; the first piece that does not fit makes the whole malformed.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool failed() const { return failed_; }
    bool at_end() const { return rest_.empty(); }
    bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

    /// Exactly that many digits.
    int digits(std::size_t count) {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (!next_is_digit()) return fail();
            value = value * 10 + (take() - '0');
        }
        return value;
    }
    /// One of these characters, which it returns; 0 when there is none, which is a failure unless it is optional.
    char one_of(std::string_view allowed, bool optional = false) {
        if (!rest_.empty() && allowed.find(rest_.front()) != std::string_view::npos) return take();
        if (!optional) fail();
        return 0;
    }
    /// A fraction of a second in microseconds; digits beyond the sixth are dropped.
    int microseconds() {
        int value = 0;
        int weight = 100'000;
        if (!next_is_digit()) return fail();
        while (next_is_digit()) {
            value += (take() - '0') * weight;
            weight /= 10;
        }
        return value;
    }

private:
    char take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    int fail() {
        failed_ = true;
        return 0;
    }

    std::string_view rest_;
    bool failed_ = false;
};

/// "Z", "+01", "+0130" or "+01:30" as minutes east of UTC; PostgreSQL allows up to 15:59.
std::optional<std::chrono::minutes> scan_offset(Scanner& scanner) {
    scanner.one_of(" ", true);
    const char sign = scanner.one_of("Zz+-");
    if (scanner.failed()) return std::nullopt;
    if (sign == 'Z' || sign == 'z') return std::chrono::minutes(0);
    const int hours = scanner.digits(2);
    const bool colon = scanner.one_of(":", true) != 0;
    const int minutes = colon || scanner.next_is_digit() ? scanner.digits(2) : 0;
    if (scanner.failed() || hours > 15 || minutes > 59) return std::nullopt;
    const std::chrono::minutes offset(hours * 60 + minutes);
    return sign == '-' ? -offset : offset;
}

}  // namespace

std::string text(Bytes bytes) {
    constexpr std::array kNames = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes.count < kKibi) return fmt::format("{} B", bytes.count);
    double value = static_cast<double>(bytes.count) / 1024;
    std::size_t unit = 0;
    // What would be rounded to 1024 of a unit is 1 of the next.
    while (value >= 1023.5 && unit + 1 < kNames.size()) {
        value /= 1024;
        ++unit;
    }
    const std::string number = value < 99.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
    const bool whole = number.ends_with(".0");
    return fmt::format("{} {}", whole ? number.substr(0, number.size() - 2) : number, kNames[unit]);
}

std::string text(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFF); }
std::string text(Timeline timeline) { return fmt::format("{}", timeline.value); }
std::string text(SystemIdentifier identifier) { return fmt::format("{}", identifier.value); }

std::string text(Timestamp time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    const std::string whole =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                    static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    const auto fraction = clock.subseconds().count();
    return fraction == 0 ? whole + "Z" : fmt::format("{}.{:06}Z", whole, fraction);
}

std::string text_duration(Duration duration) {
    const std::int64_t count = duration.count();
    const std::uint64_t us = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
    const std::string sign = count < 0 ? "-" : "";
    // Rounded to the step shown before the scale is chosen, so that 59.96 s is a minute.
    const auto rounded = [us](std::uint64_t step) { return (us + step / 2) / step; };
    if (us > 0 && us < 1000) return fmt::format("{}{} us", sign, us);
    if (const auto ms = rounded(1000); ms < 1000) return fmt::format("{}{} ms", sign, ms);
    if (const auto tenths = rounded(kSecond / 10); tenths < 600) return fmt::format("{}{}.{} s", sign, tenths / 10, tenths % 10);
    if (const auto seconds = rounded(kSecond); seconds < 3600) return fmt::format("{}{} min {:02} s", sign, seconds / 60, seconds % 60);
    if (const auto minutes = rounded(60 * kSecond); minutes < 1440)
        return fmt::format("{}{} h {:02} min", sign, minutes / 60, minutes % 60);
    const auto hours = rounded(3600 * kSecond);
    return fmt::format("{}{} d {} h", sign, hours / 24, hours % 24);
}

std::optional<Bytes> parse_bytes(std::string_view text) {
    const auto count = scaled(text, kByteUnits);
    return count ? std::optional(Bytes{*count}) : std::nullopt;
}

std::optional<Lsn> parse_lsn(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || slash > 8 || text.size() - slash - 1 > 8) return std::nullopt;
    const auto high = whole_number<std::uint32_t>(text.substr(0, slash), 16);
    const auto low = whole_number<std::uint32_t>(text.substr(slash + 1), 16);
    if (!high || !low) return std::nullopt;
    return Lsn{(std::uint64_t{*high} << 32) | *low};
}

std::optional<Duration> parse_duration(std::string_view text) {
    const auto count = scaled(text, kTimeUnits);
    if (!count || !std::in_range<Duration::rep>(*count)) return std::nullopt;
    return Duration(static_cast<Duration::rep>(*count));
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
    using namespace std::chrono;
    Scanner scanner(text);
    const int year_number = scanner.digits(4);
    scanner.one_of("-");
    const int month_number = scanner.digits(2);
    scanner.one_of("-");
    const int day_number = scanner.digits(2);
    scanner.one_of("Tt ");
    const int hour = scanner.digits(2);
    scanner.one_of(":");
    const int minute = scanner.digits(2);
    scanner.one_of(":");
    const int second = scanner.digits(2);
    const int fraction = scanner.one_of(".", true) ? scanner.microseconds() : 0;
    const auto offset = scan_offset(scanner);

    const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)), day(static_cast<unsigned>(day_number))};
    if (scanner.failed() || !scanner.at_end() || !offset || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return Timestamp(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + microseconds(fraction) - *offset;
}

}  // namespace howdah::base
