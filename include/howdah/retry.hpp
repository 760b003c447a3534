#pragma once

#include <chrono>
#include <cstdint>

#include "howdah/moment.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// Full jitter: before the n-th retry (n from 0) a wait drawn evenly from [0, min(cap, base * 2^n)].
struct BackoffOptions {
    Duration base = std::chrono::milliseconds(2);
    Duration cap = std::chrono::milliseconds(100);
};

/// For 40001 and 40P01: the winner is done in a moment.
inline constexpr BackoffOptions kContentionBackoff{};
/// For dialling and for a server that is short of something.
inline constexpr BackoffOptions kDialBackoff{std::chrono::milliseconds(50), std::chrono::seconds(10)};

/// What retries may add to the load of one endpoint. Amounts are thousandths of a token; a retry costs 1000.
struct RetryBudgetOptions {
    std::int64_t earned_per_call = 100;      ///< Each first try brings this: one retry in ten calls.
    std::int64_t cost = 1000;                ///< Of a retry.
    std::int64_t cost_after_timeout = 2000;  ///< Of a retry after a time-out: the server may still be at the first one.
    std::int64_t floor_per_second = 3000;    ///< Time brings this, but never more than one second's worth.
    std::int64_t cap = 100'000;              ///< What calls can save up. At least the floor of one second.
};

/// For contention: what it adds is work that the server does anyway once the winners are through, so there is far more of it.
inline constexpr RetryBudgetOptions kContentionBudget{2000, 1000, 1000, 200'000, 1'000'000};

/// A named error (phase configure, cause usage) for values that make no sense.
Result<void> check(const BackoffOptions& options);
Result<void> check(const RetryBudgetOptions& options);

}  // namespace howdah::inline v0
