#include "archive/exit_codes.hpp"

#include <algorithm>

#include "base/hooks.hpp"

namespace howdah::archive {

int push_exit_code(const base::Failure& failure) { return std::clamp(static_cast<int>(failure.kind()), 1, 125); }

int fetch_exit_code(const base::Failure& failure) {
    if (!base::guard("T18.outage_is_not_absence")) return static_cast<int>(failure.kind());
    return 126;
}

}  // namespace howdah::archive
