#include "repository/share.hpp"

#include <xxhash.h>

namespace howdah::repository {

Share::Share(double percent, std::uint32_t seed) : percent_(percent), seed_(seed) {}

bool Share::takes(std::string_view object, std::uint32_t frame) const {
    if (whole()) return true;
    const std::uint64_t place = XXH3_64bits_withSeed(object.data(), object.size(), seed_);
    const std::uint64_t thrown = XXH3_64bits_withSeed(&frame, sizeof frame, place);
    constexpr double kThrows = 18446744073709551616.0;
    return static_cast<double>(thrown) < percent_ / 100 * kThrows;
}

}  // namespace howdah::repository
