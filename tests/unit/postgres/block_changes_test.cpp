#include "postgres/block_changes.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::postgres {
namespace {

constexpr ForkKey kTable{1663, 5, 16384, Fork::main};
constexpr std::uint32_t kSize = 1000;
using Ranges = std::vector<BlockRange>;

TEST(BlockChanges, NamedBlocksAreReadAndNothingElse) {
    BlockChanges changes;
    EXPECT_TRUE(changes.empty());
    EXPECT_EQ(Ranges{}, changes.changed(kTable, kSize, kSize));
    changes.add(kTable, BlockRange{10, 12});
    changes.add(kTable, BlockRange{500, 501});
    EXPECT_EQ((Ranges{{10, 12}, {500, 501}}), changes.changed(kTable, kSize, kSize));
    EXPECT_EQ((Ranges{{11, 12}}), changes.changed(kTable, kSize, kSize, {11, 400}));
    EXPECT_EQ((Ranges{{10, 12}}), changes.changed(kTable, 300, 300)) << "blocks that are no more";
    EXPECT_EQ(Ranges{}, changes.changed({1663, 5, 16385, Fork::main}, kSize, kSize));
    EXPECT_EQ(Ranges{}, changes.changed(kTable, kSize, 0));
}

TEST(BlockChanges, WhatGrewIsRead) {
    BlockChanges changes;
    changes.add(kTable, BlockRange{99, 100});
    EXPECT_EQ((Ranges{{99, 150}}), changes.changed(kTable, 100, 150));
    EXPECT_EQ((Ranges{{0, 150}}), changes.changed(kTable, 0, 150)) << "a file that the copy lacks";
}

TEST(BlockChanges, AllAboveTheSmallestLimitIsReadHoweverItGrewAgain) {
    BlockChanges changes;
    changes.add(kTable, BlockRange{20, 21});
    changes.add(kTable, BlockRange{700, 701});
    changes.cut(kTable, 600);
    changes.add(kTable, BlockRange{650, 651});
    changes.cut(kTable, 900);
    EXPECT_EQ((Ranges{{20, 21}, {600, 1000}}), changes.changed(kTable, kSize, kSize));
    EXPECT_EQ((Ranges{{20, 21}, {600, 620}}), changes.changed(kTable, kSize, 620));
    EXPECT_EQ((Ranges{{700, 800}}), changes.changed(kTable, kSize, kSize, {700, 800}));
    changes.cut(kTable, 0);
    EXPECT_EQ((Ranges{{0, 1000}}), changes.changed(kTable, kSize, kSize));
    EXPECT_TRUE(changes.forks().at(kTable).blocks.empty());
}

TEST(BlockChanges, OnlyMainForksAreTrusted) {
    const BlockChanges changes;
    for (const Fork fork : {Fork::visibility, Fork::free_space, Fork::init})
        EXPECT_EQ((Ranges{{0, 3}}), changes.changed({1663, 5, 16384, fork}, 3, 3));
}

TEST(BlockChanges, AReplacedDatabaseIsReadWhole) {
    BlockChanges changes;
    changes.add(kTable, BlockRange{1, 2});
    changes.add({1663, 6, 16384, Fork::main}, BlockRange{1, 2});
    changes.replace({1663, 5});
    changes.add(kTable, BlockRange{3, 4});
    changes.cut(kTable, 7);
    EXPECT_EQ((Ranges{{0, 1000}}), changes.changed(kTable, kSize, kSize));
    EXPECT_EQ((Ranges{{0, 1000}}), changes.changed({1663, 5, 1, Fork::main}, kSize, kSize));
    EXPECT_EQ((Ranges{{1, 2}}), changes.changed({1663, 6, 16384, Fork::main}, kSize, kSize));
    EXPECT_EQ(Ranges{}, changes.changed({1664, 5, 16384, Fork::main}, kSize, kSize));
    EXPECT_EQ(1u, changes.forks().size());
}

TEST(BlockChanges, ADoubtReadsEverything) {
    BlockChanges changes;
    for (int at = 0; at < 40; ++at) changes.doubt({DoubtKind::unreadable, std::string(500, 'x'), {7}});
    EXPECT_EQ((Ranges{{0, 1000}}), changes.changed(kTable, kSize, kSize));
    EXPECT_EQ(32u, changes.doubts().size());
    EXPECT_EQ(200u, changes.doubts()[0].text.size());
    EXPECT_EQ(8u, changes.doubts_left_out());
    BlockChanges merged;
    merged.append(changes);
    merged.append(changes);
    EXPECT_EQ(48u, merged.doubts_left_out());
}

TEST(BlockChanges, LaterStretchesAddUp) {
    BlockChanges first, second;
    first.add(kTable, BlockRange{10, 11});
    first.add(kTable, BlockRange{800, 801});
    first.cut({1663, 5, 16400, Fork::main}, 50);
    first.add({1663, 7, 1, Fork::main}, BlockRange{1, 2});
    second.cut(kTable, 700);
    second.add(kTable, BlockRange{11, 12});
    second.add({1663, 5, 16400, Fork::main}, BlockRange{49, 60});
    second.replace({1663, 7});
    BlockChanges forth = first, back = second;
    forth.append(second);
    back.append(first);
    EXPECT_EQ(forth, back);
    EXPECT_EQ((Ranges{{10, 12}, {700, 1000}}), forth.changed(kTable, kSize, kSize));
    EXPECT_EQ((Ranges{{49, 1000}}), forth.changed({1663, 5, 16400, Fork::main}, kSize, kSize));
    EXPECT_TRUE(forth.is_replaced({1663, 7}));
    EXPECT_EQ(2u, forth.forks().size());
}

BlockChanges random_changes(std::mt19937& generator) {
    const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    BlockChanges changes;
    const auto key = [&] {
        return ForkKey{1663 + random() % 3, random() % 4, random() % 2 ? random() % 20 : random(), static_cast<Fork>(random() % 4)};
    };
    for (auto left = random() % 30; left > 0; --left) {
        const std::uint32_t begin = random() % 4 ? random() % 1000 : random();
        if (begin < kNoBlock) changes.add(key(), BlockRange{begin, begin + 1 + random() % 3 % (kNoBlock - begin)});
    }
    for (auto left = random() % 5; left > 0; --left) changes.cut(key(), random() % 500);
    for (auto left = random() % 4; left > 0; --left) {
        ForkKey gone = key();
        for (const Fork fork : kForks) {
            gone.fork = fork;
            changes.cut(gone, 0);
        }
    }
    if (random() % 3 == 0) changes.replace({1663 + random() % 3, random() % 4});
    if (random() % 3 == 0) changes.doubt({DoubtKind::minimal_level, "wal_level is minimal", {random()}});
    return changes;
}

TEST(BlockChanges, BytesHoldEverything) {
    EXPECT_LE(BlockChanges().encode().size(), 5u);
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        const BlockChanges changes = random_changes(random);
        const std::string bytes = changes.encode();
        const BlockChanges again = BlockChanges::decode(base::as_bytes(bytes));
        EXPECT_EQ(bytes, again.encode());
        EXPECT_EQ(changes.doubts(), again.doubts());
        EXPECT_EQ(changes.replaced(), again.replaced());
        ASSERT_EQ(changes.forks().size(), again.forks().size());
        for (const auto& [key, fork] : changes.forks()) EXPECT_EQ(changes.changed(key, kSize, 2000), again.changed(key, kSize, 2000));
    }
}

TEST(BlockChanges, DroppedRelationsTakeTwoBytesEach) {
    BlockChanges changes;
    for (std::uint32_t relation = 16384; relation < 17384; ++relation)
        for (const Fork fork : kForks) changes.cut({1663, 5, relation, fork}, 0);
    EXPECT_LE(changes.encode().size(), 2020u);
    EXPECT_EQ(changes, BlockChanges::decode(base::as_bytes(changes.encode())));
}

TEST(BlockChanges, DamagedBytesFailOrAreOtherChanges) {
    std::mt19937 random(11);
    for (int round = 0; round < 200; ++round) {
        std::string bytes = random_changes(random).encode();
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_THROW(BlockChanges::decode(base::as_bytes(bytes.substr(0, size))), base::Failure);
        EXPECT_THROW(BlockChanges::decode(base::as_bytes(bytes + '\0')), base::Failure);
        bytes[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
        try {
            const BlockChanges other = BlockChanges::decode(base::as_bytes(bytes));
            EXPECT_EQ(other, BlockChanges::decode(base::as_bytes(other.encode())));
        } catch (const base::Failure&) {
        }
    }
    EXPECT_THROW(BlockChanges::decode(base::as_bytes(std::string(1, '\x02'))), base::Failure) << "a later version";
}

}  // namespace
}  // namespace howdah::postgres
