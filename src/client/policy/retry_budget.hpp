#pragma once

#include <cstdint>

#include "howdah/retry.hpp"

namespace howdah::inline v0 {

/// Bounds what retries add to an endpoint's load, whatever each call allows itself. First tries earn, retries pay, and time fills up to
/// the floor, so that a quiet service may still retry. One instance for failures and another for contention: a hot row must not spend
/// what a failover needs. Whole numbers only: millionths of a token. Not thread-safe.
class RetryBudget {
public:
    /// Options that passed check(). Starts with the floor of one second.
    RetryBudget(const RetryBudgetOptions& options, Moment now);

    /// So many calls' first tries. Needs no time, so that the good path need only count them.
    void earn(std::int64_t calls = 1) noexcept;

    enum class After { failure, timeout };
    /// Pays for one retry; false, and nothing paid, when there is not enough.
    bool spend(Moment now, After reason) noexcept;

    /// Thousandths of a token, for the metric "budget left".
    std::int64_t left(Moment now) noexcept;
    std::int64_t cap() const noexcept { return cap_ / kMicro; }
    std::uint64_t spent() const noexcept { return spent_; }      ///< Retries paid.
    std::uint64_t refused() const noexcept { return refused_; }  ///< Retries that were not.

private:
    static constexpr std::int64_t kMicro = 1000;  ///< Millionths in a thousandth.
    void fill(Moment now) noexcept;

    std::int64_t earned_, cap_, balance_;
    std::int64_t cost_, cost_after_timeout_, floor_;
    Moment filled_;
    std::uint64_t spent_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace howdah::inline v0
