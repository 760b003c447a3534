#include "archive/exit_codes.hpp"

#include <algorithm>

namespace howdah::archive {

int push_exit_code(const base::Failure& failure) {
    constexpr int kHighest = 125;
    return std::clamp(static_cast<int>(failure.kind()), 1, kHighest);
}

int fetch_exit_code(FetchOutcome outcome) { return outcome == FetchOutcome::delivered ? 0 : 1; }

int fetch_exit_code(const base::Failure&) {
    constexpr int kAbortsRecovery = 126;
    return kAbortsRecovery;
}

}  // namespace howdah::archive
