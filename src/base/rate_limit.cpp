#include "base/rate_limit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/failure.hpp"

namespace howdah::base {

namespace {

constexpr std::chrono::milliseconds kBurst{100};

}  // namespace

RateLimit::RateLimit(std::optional<Bytes> per_second) : per_second_(per_second ? static_cast<double>(per_second->count) : 0) {}

std::chrono::nanoseconds RateLimit::debt_after(std::uint64_t bytes, Clock::time_point now) {
    if (per_second_ <= 0) return {};
    const auto cost = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(bytes) / per_second_));
    const std::lock_guard lock(mutex_);
    paid_until_ = std::max(paid_until_, now - kBurst) + cost;
    return std::max(paid_until_ - now, Clock::duration::zero());
}

void RateLimit::take(std::uint64_t bytes, const Cancellation& cancellation) {
    if (per_second_ <= 0) return;
    const auto wait = debt_after(bytes, Clock::now());
    if (wait > std::chrono::nanoseconds::zero()) cancellation.sleep(wait);
}

std::optional<Bytes> parse_megabytes_per_second(std::string_view text) {
    constexpr double kLargest = 1e6, kMegabyte = 1e6;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || end != text.data() + text.size() || !(number > 0) || number > kLargest) return std::nullopt;
    const auto bytes = static_cast<std::uint64_t>(number * kMegabyte);
    return bytes > 0 ? std::optional(Bytes{bytes}) : std::nullopt;
}

std::optional<Bytes> limit_of_option(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const auto limit = parse_megabytes_per_second(text);
    if (!limit)
        throw Failure(FailureKind::usage, fmt::format("--limit is not a number of megabytes per second: {}", text),
                      "write a number above zero, as 50 or 0.5");
    return limit;
}

}  // namespace howdah::base
