// A pack shared by workers: its shares, its block hashes, and what each costs to read.
#include "repository/open_pack.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "repository/pack_writer.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

class OpenPackTest : public testing::TestWithParam<bool> {
protected:
    /// Ten frames of pages, then one that two small files share.
    void write() {
        PackWriter packs(repository, place.area(), 1);
        for (std::size_t at = 0; at < content.size(); at += kFrameBytes) {
            std::memcpy(packs.frame_space().data(), content.data() + at, kFrameBytes);
            packs.add_frame(kFrameBytes, large);
        }
        packs.add_small(base::as_bytes(std::string_view(content).substr(0, 10'000)), one);
        packs.add_small(base::as_bytes(std::string_view(content).substr(20'000, 5'000)), two);
        packs.finish();
        ASSERT_EQ(large.size(), 1u);
    }
    OpenPack open() const {
        return OpenPack(repository, place.area(), large[0].pack,
                        {{large[0].frame, large[0].position, large[0].length, 0, 0},
                         {two[0].frame, two[0].position, two[0].length, 2, 0},
                         {one[0].frame, one[0].position, one[0].length, 1, 0}});
    }

    Place place{GetParam()};
    Repository repository = place.open();
    SealContext context;
    std::string content = page_like(10 * kFrameBytes, 21);
    std::vector<Extent> large, one, two;
};

TEST_P(OpenPackTest, HashesAreThoseOfEveryBlock) {
    write();
    auto pack = open();
    EXPECT_TRUE(pack.hashes(0).empty());
    pack.load_hashes(context);
    for (std::uint32_t frame = 0; frame < 11; ++frame) {
        const auto plain =
            frame < 10 ? content.substr(frame * kFrameBytes, kFrameBytes) : content.substr(0, 10'000) + content.substr(20'000, 5'000);
        ASSERT_EQ(pack.plain_bytes(frame), plain.size());
        const auto hashes = pack.hashes(frame);
        ASSERT_EQ(hashes.size(), (plain.size() + kHashedBlockBytes - 1) / kHashedBlockBytes);
        for (std::size_t i = 0; i < hashes.size(); ++i)
            EXPECT_EQ(hashes[i], repository.key().block_hash(
                                     base::as_bytes(std::string_view(plain).substr(i * kHashedBlockBytes, kHashedBlockBytes))));
    }
}

TEST_P(OpenPackTest, SharesBeginWithFramesAndCoverEveryPartOnce) {
    write();
    const auto pack = open();
    const auto parts = pack.parts();
    ASSERT_EQ(parts.size(), 12u) << "ten frames of one file, one frame of two";
    EXPECT_EQ(parts[10].file, 1u);
    EXPECT_EQ(parts[11].file, 2u);
    for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{3 * kFrameBytes}, std::uint64_t{1} << 40}) {
        const auto shares = pack.shares(size);
        ASSERT_GE(shares.size(), 2u);
        EXPECT_EQ(shares.front(), 0u);
        EXPECT_EQ(shares.back(), parts.size());
        for (std::size_t i = 1; i + 1 < shares.size(); ++i) {
            EXPECT_GT(shares[i], shares[i - 1]);
            EXPECT_NE(parts[shares[i]].frame, parts[shares[i] - 1].frame);
        }
    }
    EXPECT_EQ(pack.shares(3 * kFrameBytes).size(), 5u);
    EXPECT_EQ(OpenPack(repository, place.area(), large[0].pack, {}).shares(1), std::vector<std::size_t>{0});
}

TEST_P(OpenPackTest, DamagedHashesAreNotBelieved) {
    write();
    const auto path = place.root() / place.area().pack(large[0].pack);
    auto bytes = base::read_file(path);
    ASSERT_TRUE(open().parts().size() > 0);
    // The hashes stand in front of the directory and the footer, which are together far smaller than they.
    bytes[bytes.size() - 1500] ^= 1;
    std::filesystem::permissions(path, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
    base::write_file_durably(path, bytes);
    EXPECT_THROW(
        {
            auto pack = open();
            pack.load_hashes(context);
        },
        base::Failure);
}

INSTANTIATE_TEST_SUITE_P(Sealing, OpenPackTest, testing::Bool());

}  // namespace
}  // namespace howdah::repository::test
