#include "postgres/block_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/file.hpp"

namespace howdah::postgres {
namespace {

std::vector<BlockRange> ranges(const BlockSet& set, BlockRange window = {0, kNoBlock}) {
    std::vector<BlockRange> result;
    set.for_each_range(window, [&](BlockRange range) { result.push_back(range); });
    return result;
}

std::vector<BlockRange> ranges(const std::set<std::uint32_t>& model, BlockRange window) {
    std::vector<BlockRange> result;
    for (const std::uint32_t block : model) {
        if (block < window.begin || block >= window.end) continue;
        if (!result.empty() && result.back().end == block)
            ++result.back().end;
        else
            result.push_back({block, block + 1});
    }
    return result;
}

std::string encoded(const BlockSet& set) {
    std::string bytes;
    set.encode(bytes);
    return bytes;
}

BlockSet decoded(const std::string& bytes) {
    VarintReader reader(base::as_bytes(bytes), "a set");
    return BlockSet::decode(reader);
}

TEST(BlockSet, RangesJoinAndCrossPieces) {
    BlockSet set;
    EXPECT_TRUE(set.empty());
    set.add(BlockRange{5, 5});
    EXPECT_TRUE(set.empty());
    set.add(BlockRange{65530, 131080});
    set.add(BlockRange{65529, 65531});
    set.add(BlockRange{131080, 131081});
    EXPECT_EQ((std::vector<BlockRange>{{65529, 131081}}), ranges(set));
    EXPECT_EQ((std::vector<BlockRange>{{65536, 65540}}), ranges(set, {65536, 65540}));
    EXPECT_EQ(131081u - 65529u, set.count());
    set.erase_from(65536);
    EXPECT_EQ((std::vector<BlockRange>{{65529, 65536}}), ranges(set));
    set.erase_from(0);
    EXPECT_TRUE(set.empty());
    set.add(BlockRange{0xFFFFFFFE, 0xFFFFFFFF});
    EXPECT_TRUE(set.contains(0xFFFFFFFE));
    EXPECT_FALSE(set.contains(kNoBlock));
}

TEST(BlockSet, IsASetWhateverIsDone) {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        std::mt19937 generator(seed);
        const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
        // Few and many blocks, alone and in runs, so that pieces are lists, bitmaps and become them.
        const std::uint32_t span = seed % 3 == 0 ? 200'000 : 70'000, longest = seed % 2 ? 1 : 300;
        BlockSet set;
        std::set<std::uint32_t> model;
        const auto grow = [&](BlockSet& into, std::set<std::uint32_t>& beside, int times) {
            for (int at = 0; at < times; ++at) {
                const std::uint32_t begin = random() % span, end = begin + 1 + random() % longest;
                into.add(BlockRange{begin, end});
                for (std::uint32_t block = begin; block < end; ++block) beside.insert(block);
            }
        };
        grow(set, model, static_cast<int>(random() % 1500));
        for (int step = 0; step < 4; ++step) {
            BlockSet other;
            std::set<std::uint32_t> other_model;
            grow(other, other_model, static_cast<int>(random() % (step % 2 ? 1500 : 12)));
            set.add(other);
            model.insert(other_model.begin(), other_model.end());
            if (random() % 2) {
                const std::uint32_t begin = random() % span;
                set.erase_from(begin);
                model.erase(model.lower_bound(begin), model.end());
            }
        }
        const BlockRange window{random() % span, random() % span};
        ASSERT_EQ(ranges(model, {0, kNoBlock}), ranges(set)) << seed;
        ASSERT_EQ(ranges(model, window), ranges(set, window)) << seed;
        ASSERT_EQ(model.size(), set.count()) << seed;
        const std::string bytes = encoded(set);
        const BlockSet again = decoded(bytes);
        ASSERT_EQ(ranges(set), ranges(again)) << seed;
        BlockSet one_by_one;
        for (const std::uint32_t block : model) one_by_one.add(BlockRange{block, block + 1});
        ASSERT_EQ(bytes, encoded(one_by_one)) << "the same set gives the same bytes, seed " << seed;
    }
}

TEST(BlockSet, TakesFewBytes) {
    BlockSet everything;
    everything.add(BlockRange{0, 131072});
    EXPECT_LE(encoded(everything).size(), 16u);
    BlockSet every_second;
    for (std::uint32_t block = 0; block < 65536; block += 2) every_second.add(BlockRange{block, block + 1});
    EXPECT_LE(encoded(every_second).size(), 8192u + 4);
    BlockSet one;
    one.add(BlockRange{17, 18});
    EXPECT_LE(encoded(one).size(), 4u);
}

TEST(BlockSet, DamagedBytesFail) {
    BlockSet set;
    for (std::uint32_t block = 0; block < 4000; block += 3) set.add(BlockRange{block, block + 1});
    set.add(BlockRange{0xFFFF0000, 0xFFFFFFFF});
    const std::string bytes = encoded(set);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(decoded(bytes.substr(0, size)), base::Failure) << size;
    const std::string last_piece("\x01\xFF\xFF\x03", 4);
    EXPECT_THROW(decoded(last_piece + std::string("\x02\x01\xFF\xFF\x03", 5)), base::Failure) << "the block that is none";
    EXPECT_THROW(decoded(std::string("\x01\x00\x00", 3)), base::Failure) << "no run";
    EXPECT_THROW(decoded(std::string("\x01\x00\x03", 3)), base::Failure) << "no known form";
    EXPECT_THROW(decoded(std::string("\x01\x00\x01", 3) + std::string(8192, '\0')), base::Failure) << "an empty bitmap";
    EXPECT_THROW(decoded(std::string("\xFF\xFF\xFF\xFF\x7F", 5)), base::Failure) << "more pieces than bytes";
    EXPECT_THROW(decoded(std::string("\x02\xFF\xFF\x03\x02\x00\x00\x02\x00", 9)), base::Failure) << "a piece too many";
}

}  // namespace
}  // namespace howdah::postgres
