#pragma once

#include <span>
#include <string>
#include <string_view>

namespace howdah::base {

/// The candidate that `word` was most likely meant to be: the nearest one within a third of its length in insertions, deletions,
/// replacements and swaps of neighbours, whatever their case. Empty when none is near.
std::string closest(std::string_view word, std::span<const std::string> candidates);

/// "did you mean `closest`?", empty when none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace howdah::base
