// Extents joined and taken apart.
#include "repository/extents.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/failure.hpp"
#include "repository/object.hpp"

namespace howdah::repository {
namespace {

const PackId kOne = *PackId::parse(std::string(32, '1'));
const PackId kTwo = *PackId::parse(std::string(32, '2'));

std::string text(const std::vector<Extent>& extents) {
    std::string text;
    for (const auto& extent : extents)
        text += (text.empty() ? "" : " ") + (extent.pack.empty() ? std::string("0") : extent.pack.text().substr(0, 1)) + ":" +
                std::to_string(extent.frame) + "+" + std::to_string(extent.position) + "x" + std::to_string(extent.length);
    return text;
}

TEST(Extents, AreJoinedOnlyWhereOneGoesOnFromTheOther) {
    std::vector<Extent> extents;
    append_extent(extents, {8192, kOne, 3, kFrameBytes - 16384});
    append_extent(extents, {8192, kOne, 3, kFrameBytes - 8192});
    append_extent(extents, {8192, kOne, 4, 0});
    EXPECT_EQ(text(extents), "1:3+245760x24576");
    append_extent(extents, {8192, kOne, 4, 16384});
    append_extent(extents, {8192, kTwo, 4, 24576});
    append_extent(extents, {8192, {}, 0, 0});
    append_extent(extents, {100, {}, 0, 0});
    EXPECT_EQ(text(extents), "1:3+245760x24576 1:4+16384x8192 2:4+24576x8192 0:0+0x8292");
}

TEST(Extents, ACursorTakesAnyPartOverTheFramesEnd) {
    const std::vector<Extent> stored{{2 * kFrameBytes, kOne, 7, 8192}, {4096, {}, 0, 0}, {8192, kTwo, 0, 0}};
    std::vector<Extent> taken;
    ExtentCursor cursor(stored);
    cursor.skip(kFrameBytes - 8192);
    cursor.take(8192, taken);
    EXPECT_EQ(text(taken), "1:8+0x8192");
    cursor.take(kFrameBytes, taken);
    EXPECT_EQ(text(taken), "1:8+0x270336") << "goes on from what was taken before";
    cursor.take(6096, taken);
    EXPECT_EQ(text(taken), "1:8+0x270336 0:0+0x4096 2:0+0x2000");
    cursor.take(6192, taken);
    EXPECT_EQ(text(taken), "1:8+0x270336 0:0+0x4096 2:0+0x8192");
    EXPECT_THROW(cursor.take(1, taken), base::Failure);
    EXPECT_NO_THROW(cursor.take(0, taken));
}

}  // namespace
}  // namespace howdah::repository
