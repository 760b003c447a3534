#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::repository {

/// Names a pack: 16 random bytes, as 32 lower-case hex digits in object names. A million files name packs, so that it is bytes in memory
/// and text only where a name is made. All zero bytes: no pack.
struct PackId {
    std::array<std::byte, 16> bytes{};

    static PackId random();
    /// Of 32 lower-case hex digits; none for any other text.
    static std::optional<PackId> parse(std::string_view text);
    std::string text() const;
    bool empty() const { return *this == PackId{}; }
    auto operator<=>(const PackId&) const = default;
};

}  // namespace howdah::repository
