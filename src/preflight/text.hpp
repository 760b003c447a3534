#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace howdah::preflight::text {

/// "a, b and 3 more": the first `shown` words.
std::string join(const std::vector<std::string>& words, std::size_t shown = 5);
/// "34 %".
std::string percent(double share);
/// "1 session", "3 sessions".
std::string count(std::int64_t number, const std::string& singular);

}  // namespace howdah::preflight::text
