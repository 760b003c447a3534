#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/cancellation.hpp"
#include "base/units.hpp"

namespace howdah::base {

/// Holds the workers of one operation together to a number of bytes per second: a bucket that fills at that rate up to a tenth of a
/// second's worth. All members may be called from any thread.
class RateLimit {
public:
    using Clock = std::chrono::steady_clock;

    /// None: no limit, take() costs nothing.
    explicit RateLimit(std::optional<Bytes> per_second = std::nullopt);

    /// Returns once these bytes may pass: who takes more than the bucket holds goes into debt and sleeps until it is paid, so that any
    /// amount may be taken at once and the mean is kept. Returns early when a stop is asked for.
    void take(std::uint64_t bytes, const Cancellation& cancellation);

    /// The bucket without sleeping: how long the taker of these bytes at that time has to wait.
    std::chrono::nanoseconds debt_after(std::uint64_t bytes, Clock::time_point now);

private:
    double per_second_ = 0;
    std::mutex mutex_;
    Clock::time_point paid_until_{};  ///< When all that was taken will have passed at the rate.
};

/// A rate as it is written on a command line: megabytes (1,000,000 bytes) a second, a plain number with or without a fraction ("50", "0.5").
/// None for zero, a negative number, more than a million and anything else.
std::optional<Bytes> parse_megabytes_per_second(std::string_view text);
/// What `--limit TEXT` asks for; none when the text is empty. Failure(usage) for what is no rate.
std::optional<Bytes> limit_of_option(std::string_view text);

}  // namespace howdah::base
