// What masking hides, and that it hides nothing more: by pages made by hand and by those of a server.
#include "postgres/page_mask.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <sstream>
#include <vector>

#include "base/file.hpp"
#include "postgres/load.hpp"
#include "postgres/page.hpp"
#include "real_server.hpp"

namespace howdah::postgres {
namespace {

constexpr std::size_t kTuple = 8192 - 16 - 64;  ///< Where made pages have their only item.

/// A page with one item of 61 bytes and a special space of that size.
struct MadePage {
    std::vector<std::byte> bytes = std::vector<std::byte>(kBlockSize);

    explicit MadePage(std::uint16_t special_size) {
        put<std::uint16_t>(12, 28);
        put<std::uint16_t>(14, kTuple);
        put<std::uint16_t>(16, static_cast<std::uint16_t>(kBlockSize - special_size));
        put<std::uint16_t>(18, kBlockSize | 4);
        put<std::uint32_t>(24, static_cast<std::uint32_t>(kTuple | 1u << 15 | 61u << 17));
    }
    template <typename T>
    MadePage& put(std::size_t offset, T value) {
        std::memcpy(bytes.data() + offset, &value, sizeof value);
        return *this;
    }
    MadePage& special(std::size_t offset, std::uint16_t value) { return put(load<std::uint16_t>(bytes, 16) + offset, value); }
};

MadePage heap() { return MadePage(0); }
MadePage btree(std::uint16_t flags) { return MadePage(16).special(12, flags); }
MadePage hash(std::uint16_t flags) { return MadePage(16).special(12, flags).special(14, 0xFF80); }
MadePage gist(std::uint16_t flags) { return MadePage(16).special(12, flags).special(14, 0xFF81); }
MadePage gin(std::uint16_t flags) { return MadePage(8).special(6, flags); }
MadePage spgist() { return MadePage(8).special(6, 0xFF82); }
MadePage brin(std::uint16_t type) { return MadePage(8).special(6, type); }
MadePage sequence() { return MadePage(8).special(0, 0x1717); }

PageKind kind(const MadePage& page, std::uint32_t block = 0) { return page_kind(page.bytes, block); }
bool equal(const MadePage& one, const MadePage& other, std::uint32_t block = 7) { return equal_masked(one.bytes, other.bytes, block); }

TEST(PageMask, KindsAreKnownByTheSpecialSpace) {
    EXPECT_EQ(kind(heap()), PageKind::heap);
    EXPECT_EQ(kind(btree(1)), PageKind::btree);
    EXPECT_EQ(kind(btree(1).special(14, 0xFF7F)), PageKind::btree);  // The highest cycle id.
    EXPECT_EQ(kind(hash(2)), PageKind::hash);
    EXPECT_EQ(kind(gist(1)), PageKind::gist);
    EXPECT_EQ(kind(gin(2)), PageKind::gin);
    EXPECT_EQ(kind(spgist()), PageKind::spgist);
    EXPECT_EQ(kind(brin(0xF091)), PageKind::brin);
    EXPECT_EQ(kind(brin(0xF092)), PageKind::brin);
    EXPECT_EQ(kind(brin(0xF093)), PageKind::brin);
    EXPECT_EQ(kind(sequence()), PageKind::sequence);
    EXPECT_EQ(kind(sequence(), 3), PageKind::gin);                       // A right link of 5911.
    EXPECT_EQ(kind(MadePage(8).special(6, 0xFF83)), PageKind::generic);  // The extension bloom.
    EXPECT_EQ(kind(MadePage(24)), PageKind::generic);
    EXPECT_EQ(kind(heap().put<std::uint16_t>(14, 4)), PageKind::generic);
    EXPECT_EQ(page_kind(std::vector<std::byte>(kBlockSize), 0), PageKind::generic);
}

TEST(PageMask, LsnChecksumAndHoleAreMaskedEverywhere) {
    for (const auto& page : {heap(), btree(1), hash(2), gist(1), gin(2), spgist(), brin(0xF093), sequence(), MadePage(24)}) {
        EXPECT_TRUE(equal(page, MadePage(page).put<std::uint64_t>(0, 77).put<std::uint16_t>(8, 99)));
        EXPECT_TRUE(equal(page, MadePage(page).put<std::uint32_t>(4000, 1)));
        EXPECT_FALSE(equal(page, MadePage(page).put<std::uint32_t>(kTuple + 40, 1)));
        EXPECT_FALSE(equal(page, MadePage(page).put<std::uint16_t>(12, 32)));
        EXPECT_FALSE(equal(page, MadePage(page).put<std::uint32_t>(24, kTuple | 1u << 15 | 60u << 17)));
    }
    EXPECT_FALSE(equal(brin(0xF092), brin(0xF092).put<std::uint32_t>(4000, 1)));  // A map of ranges fills its page.
}

TEST(PageMask, HintsOfThePageAreMaskedButForSequencesAndUnknownPages) {
    for (const auto& page : {heap(), btree(1), hash(2), gist(1), gin(2), spgist(), brin(0xF093)}) {
        EXPECT_TRUE(equal(page, MadePage(page).put<std::uint16_t>(10, 7).put<std::uint32_t>(20, 1234)));
        EXPECT_FALSE(equal(page, MadePage(page).put<std::uint16_t>(10, 8)));
    }
    EXPECT_FALSE(equal_masked(sequence().bytes, sequence().put<std::uint16_t>(10, 4).bytes, 0));
    EXPECT_FALSE(equal(MadePage(24), MadePage(24).put<std::uint16_t>(10, 4)));
}

TEST(PageMask, HintsOfHeapTuples) {
    const auto with = [](std::uint16_t infomask) { return heap().put<std::uint16_t>(kTuple + 20, infomask); };
    EXPECT_TRUE(equal(with(0x0002), with(0x0102)));                         // xmin committed
    EXPECT_TRUE(equal(with(0x0002), with(0x0A02)));                         // xmin and xmax invalid
    EXPECT_FALSE(equal(with(0x0002), with(0x0003)));                        // has nulls
    EXPECT_FALSE(equal(with(0x0102), with(0x0302)));                        // frozen or not
    EXPECT_TRUE(equal(with(0x0302), with(0x0B02)));                         // of a frozen one only xmax's
    EXPECT_FALSE(equal(with(0x0302), with(0x1302)));                        // a multixact
    EXPECT_TRUE(equal(heap(), heap().put<std::uint32_t>(kTuple + 8, 5)));   // command id
    EXPECT_FALSE(equal(heap(), heap().put<std::uint32_t>(kTuple + 4, 5)));  // xmax
    EXPECT_FALSE(equal(heap(), heap().put<std::uint16_t>(kTuple + 18, 1)));
    EXPECT_TRUE(equal(heap(), heap().put<std::uint8_t>(kTuple + 61, 5)));  // padding
    EXPECT_FALSE(equal(heap(), heap().put<std::uint8_t>(kTuple + 60, 5)));
    EXPECT_FALSE(equal(heap(), heap().put<std::uint32_t>(24, kTuple | 3u << 15 | 61u << 17)));  // A dead tuple is logged.
}

TEST(PageMask, TokenOfASpeculativeInsertion) {
    const auto pointing = [](std::uint32_t block, std::uint16_t number) {
        return heap()
            .put<std::uint16_t>(kTuple + 12, static_cast<std::uint16_t>(block >> 16))
            .put<std::uint16_t>(kTuple + 14, static_cast<std::uint16_t>(block))
            .put<std::uint16_t>(kTuple + 16, number);
    };
    EXPECT_TRUE(equal(pointing(70001, 1), pointing(12345, 0xFFFE), 70001));
    EXPECT_FALSE(equal(pointing(70002, 1), pointing(12345, 0xFFFE), 70001));
    EXPECT_FALSE(equal(pointing(70001, 2), pointing(12345, 0xFFFE), 70001));
    EXPECT_FALSE(equal(pointing(70001, 1), pointing(70001, 2), 70001));
}

TEST(PageMask, IndexPages) {
    const auto dead = [](MadePage page) { return page.put<std::uint32_t>(24, kTuple | 3u << 15 | 61u << 17); };
    EXPECT_TRUE(equal(btree(1), dead(btree(1 | 1 << 6)).special(14, 9)));
    EXPECT_TRUE(equal(btree(1), btree(1 | 1 << 5)));
    EXPECT_FALSE(equal(btree(0), dead(btree(0))));     // An inner page has no dead items.
    EXPECT_FALSE(equal(btree(1), btree(1 | 1 << 7)));  // A split that is not finished.
    EXPECT_TRUE(equal(btree(4), btree(4).put<std::uint64_t>(kTuple + 40, 1).special(0, 5)));
    EXPECT_TRUE(equal(hash(2), dead(hash(2 | 1 << 7))));
    EXPECT_TRUE(equal(hash(1), dead(hash(1))));
    EXPECT_FALSE(equal(hash(4), dead(hash(4))));  // A bitmap.
    EXPECT_TRUE(equal(hash(0), hash(0).put<std::uint64_t>(kTuple + 40, 1)));
    EXPECT_TRUE(equal(gist(1), dead(gist(1 | 1 << 4 | 1 << 3)).special(2, 5)));
    EXPECT_FALSE(equal(gist(0), dead(gist(0))));
    EXPECT_FALSE(equal(gist(1), gist(1).special(8, 5)));  // Right link.
    EXPECT_TRUE(equal(gin(4), gin(4).put<std::uint64_t>(kTuple + 40, 1)));
    EXPECT_FALSE(equal(gin(2), gin(3)));
    EXPECT_FALSE(equal(spgist(), dead(spgist())));
    EXPECT_TRUE(equal(brin(0xF093), brin(0xF093).special(4, 1)));
    EXPECT_FALSE(equal(brin(0xF093), dead(brin(0xF093))));
}

TEST(PageMask, APageWithoutAHeaderEqualsOnlyItself) {
    const std::vector<std::byte> zeros(kBlockSize);
    EXPECT_TRUE(equal_masked(zeros, zeros, 1));
    EXPECT_FALSE(equal_masked(zeros, heap().bytes, 1));
    auto other = zeros;
    other[3] = std::byte{1};
    EXPECT_FALSE(equal_masked(zeros, other, 1));
}

TEST(PageMask, TheContentsOfAMapAreNoHole) {
    MadePage map(0);
    map.put<std::uint16_t>(12, 24).put<std::uint16_t>(14, kBlockSize);
    const auto changed = MadePage(map).put<std::uint8_t>(5000, 3);
    EXPECT_TRUE(equal(map, changed));
    EXPECT_FALSE(equal_masked(map.bytes, changed.bytes, PageKind::map, 0));
    EXPECT_TRUE(equal_masked(map.bytes, MadePage(map).put<std::uint64_t>(0, 3).bytes, PageKind::map, 0));
}

TEST(PageMask, WhatServersChangeWithoutARecord) {
    const auto state = [](std::int64_t last, std::int64_t left, std::uint8_t called = 1) {
        return sequence().put<std::uint8_t>(kTuple + 22, 24).put(kTuple + 24, last).put(kTuple + 32, left).put(kTuple + 40, called);
    };
    const auto equal = [](const MadePage& one, const MadePage& other) { return equal_unlogged(one.bytes, other.bytes, 0); };
    EXPECT_TRUE(equal(state(5, 28), state(33, 0)));
    EXPECT_TRUE(equal(state(33, 0), state(5, 28)));
    EXPECT_TRUE(equal(state(-10, 2), state(-50, 0)));  // By 20 downwards.
    EXPECT_FALSE(equal(state(5, 28), state(5, 0)));
    EXPECT_FALSE(equal(state(5, 28), state(34, 0)));
    EXPECT_FALSE(equal(state(5, 28), state(33, 28)));
    EXPECT_FALSE(equal(state(5, 28), state(33, 0, 0)));
    EXPECT_FALSE(equal(state(5, 28), state(33, 0).put<std::uint8_t>(kTuple + 50, 1)));
    EXPECT_FALSE(equal(state(5, -1), state(33, 0)));
    EXPECT_FALSE(equal(state(INT64_MIN, 1), state(INT64_MAX, 0)));

    const auto meta = spgist().put<std::uint16_t>(12, 96);
    EXPECT_TRUE(equal(meta, MadePage(meta).put<std::uint64_t>(28, 9).put<std::uint32_t>(88, 9)));
    EXPECT_FALSE(equal(meta, MadePage(meta).put<std::uint32_t>(24, 9)));
    EXPECT_FALSE(equal(meta, MadePage(meta).put<std::uint32_t>(92, 9)));
    EXPECT_FALSE(equal_unlogged(sequence().bytes, btree(1).bytes, 0));
    EXPECT_FALSE(equal_unlogged(spgist().bytes, spgist().put<std::uint32_t>(kTuple, 9).bytes, 1));
}

PageKind kind_named(const std::string& name, const std::string& relkind) {
    static const std::map<std::string, PageKind> kinds{{"heap", PageKind::heap}, {"btree", PageKind::btree},  {"hash", PageKind::hash},
                                                       {"gin", PageKind::gin},   {"gist", PageKind::gist},    {"spgist", PageKind::spgist},
                                                       {"brin", PageKind::brin}, {"bloom", PageKind::generic}};
    return relkind == "S" ? PageKind::sequence : kinds.at(name);
}

TEST(PageMask, PagesOfAServer) {
    testing::RealServer server(16);
    server.sql(
        "create extension bloom; create table t(id serial primary key, k int, list int[], place point, note text) with (fillfactor = 80);"
        "insert into t(k, list, place, note) select g % 97, array[g % 50, g % 7], point(g % 100, g / 100), repeat('n', g % 300)"
        " from generate_series(1, 20000) g;"
        "create index on t using hash(k); create index on t using gin(list); create index on t using gist(place);"
        "create index on t using spgist(place); create index on t using brin(id) with (pages_per_range = 2);"
        "create index on t using bloom(k); create unlogged table u(id serial primary key);"
        "delete from t where id % 3 = 0; update t set note = 'x' where id % 5 = 0; vacuum t;"
        "begin; insert into t(k, list, place) select 3, '{1, 2}', point(g, 1) from generate_series(1, 9000) g; rollback;"
        "insert into t(k, list, place) select 3, '{1}', point(g, 2) from generate_series(1, 9000) g; checkpoint;");
    const auto list = server.sql(
        "select pg_relation_filepath(c.oid), coalesce(a.amname, ''), c.relkind from pg_class c left join pg_am a on a.oid = relam"
        " where relkind in ('r', 'i', 't', 'S') and pg_relation_filepath(c.oid) is not null");
    const auto each = [&](const auto& visit) {
        std::istringstream lines(list);
        for (std::string line; std::getline(lines, line);) {
            const auto first = line.find('|'), second = line.find('|', first + 1);
            visit(line.substr(0, first), kind_named(line.substr(first + 1, second - first - 1), line.substr(second + 1)));
        }
    };
    std::map<std::string, std::string> before;
    std::map<PageKind, int> seen;
    each([&](const std::string& path, PageKind expected) {
        const auto& content = before[path] = base::read_file(server.data() / path);
        for (std::size_t at = 0; at < content.size(); at += kBlockSize) {
            const auto page = base::as_bytes(content).subspan(at, kBlockSize);
            if (page_is_zero(page)) continue;
            EXPECT_EQ(page_kind(page, static_cast<std::uint32_t>(at / kBlockSize)), expected) << path << " at " << at;
            ++seen[expected];
        }
    });
    EXPECT_EQ(seen.size(), 9u);

    // Reading sets hints: they are on the disk after the next checkpoint, and nothing else is.
    server.sql(
        "set enable_seqscan = off; select count(*) from t where id > 0; select count(*) from t where k = 3; set enable_seqscan = on;"
        "select count(note) from t; checkpoint");
    std::size_t hinted = 0;
    each([&](const std::string& path, PageKind expected) {
        const auto content = base::read_file(server.data() / path);
        ASSERT_EQ(content.size(), before[path].size()) << path;
        for (std::size_t at = 0; at < content.size(); at += kBlockSize) {
            const auto one = base::as_bytes(before[path]).subspan(at, kBlockSize), other = base::as_bytes(content).subspan(at, kBlockSize);
            const auto block = static_cast<std::uint32_t>(at / kBlockSize);
            EXPECT_TRUE(equal_masked(one, other, expected, block)) << path << " block " << block;
            hinted += std::memcmp(one.data(), other.data(), kBlockSize) != 0;
        }
    });
    EXPECT_GT(hinted, 100u);
}

}  // namespace
}  // namespace howdah::postgres
