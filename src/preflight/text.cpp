#include "preflight/text.hpp"

#include <fmt/core.h>

namespace howdah::preflight::text {

std::string join(const std::vector<std::string>& words, std::size_t shown) {
    std::string joined;
    for (std::size_t i = 0; i < words.size() && i < shown; ++i) joined += fmt::format("{}{}", i == 0 ? "" : ", ", words[i]);
    if (words.size() > shown) joined += fmt::format(" and {} more", words.size() - shown);
    return joined;
}

std::string percent(double share) { return fmt::format("{:.{}f} %", share * 100, share < 0.1 ? 1 : 0); }

std::string count(std::int64_t number, const std::string& singular) {
    return fmt::format("{} {}{}", number, singular, number == 1 ? "" : "s");
}

}  // namespace howdah::preflight::text
