#pragma once

#include <cstdint>
#include <string_view>

namespace howdah::repository {

/// A random share of what lies in a repository: everything, or each frame by a throw of its own. The same seed takes the same frames of
/// the same objects, whatever the order in which they are asked for and whatever else was stored meanwhile. Thread-safe.
class Share {
public:
    /// Everything.
    Share() = default;
    /// `percent`: above 0, at most 100.
    Share(double percent, std::uint32_t seed);

    bool whole() const { return percent_ >= 100; }
    double percent() const { return percent_; }
    std::uint32_t seed() const { return seed_; }
    bool takes(std::string_view object, std::uint32_t frame) const;

private:
    double percent_ = 100;
    std::uint32_t seed_ = 0;
};

}  // namespace howdah::repository
