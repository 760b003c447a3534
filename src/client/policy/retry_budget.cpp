#include "client/policy/retry_budget.hpp"

#include <algorithm>

namespace howdah::inline v0 {

RetryBudget::RetryBudget(const RetryBudgetOptions& options, Moment now)
    : earned_(options.earned_per_call * kMicro),
      cap_(options.cap * kMicro),
      balance_(options.floor_per_second * kMicro),
      cost_(options.cost * kMicro),
      cost_after_timeout_(options.cost_after_timeout * kMicro),
      floor_(options.floor_per_second * kMicro),
      filled_(now) {}

void RetryBudget::earn(std::int64_t calls) noexcept {
    const bool fits = earned_ == 0 ? balance_ <= cap_ : calls <= (cap_ - balance_) / earned_;
    balance_ = fits ? balance_ + calls * earned_ : cap_;
}

void RetryBudget::fill(Moment now) noexcept {
    if (now <= filled_) return;
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - filled_);
    if (balance_ >= floor_ || passed >= std::chrono::seconds(1)) {
        balance_ = std::max(balance_, floor_);
        filled_ = now;
        return;
    }
    // Time too short to bring a whole millionth stays for the next call; otherwise less than one millionth is lost.
    const std::int64_t brought = floor_ * passed.count() / 1'000'000;
    if (brought == 0) return;
    balance_ = std::min(balance_ + brought, floor_);
    filled_ += passed;
}

bool RetryBudget::spend(Moment now, After reason) noexcept {
    fill(now);
    const std::int64_t price = reason == After::timeout ? cost_after_timeout_ : cost_;
    if (balance_ < price) {
        ++refused_;
        return false;
    }
    balance_ -= price;
    ++spent_;
    return true;
}

std::int64_t RetryBudget::left(Moment now) noexcept {
    fill(now);
    return balance_ / kMicro;
}

}  // namespace howdah::inline v0
