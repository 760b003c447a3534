#include "postgres/wal_changes.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "made_wal.hpp"
#include "postgres/wal_walk.hpp"

namespace howdah::postgres {
namespace {

using testing::MadeBlocks;
using testing::MadeWal;

constexpr std::uint8_t kXlog = 0, kTransaction = 1, kStorage = 2, kDatabase = 4, kRelationMap = 7, kHeap = 10, kGeneric = 20, kMessage = 21;
constexpr std::uint8_t kCommit = 0x00, kPrepare = 0x10, kAbort = 0x20, kCommitPrepared = 0x30, kAssignment = 0x50, kHasInfo = 0x80;
constexpr std::uint8_t kCreate = 0x10, kTruncate = 0x20, kSpecial = 0x01;
constexpr std::uint16_t kMagic14 = 0xD10D, kMagic15 = 0xD110, kMagic16 = 0xD113, kMagic17 = 0xD116, kMagic18 = 0xD118;
constexpr std::uint32_t kSize = 100'000;
using Ranges = std::vector<BlockRange>;

template <typename... Values>
std::string words(Values... values) {
    std::string text;
    const auto put = [&](std::uint32_t value) { text.append(reinterpret_cast<const char*>(&value), sizeof value); };
    (put(static_cast<std::uint32_t>(values)), ...);
    return text;
}

/// Main data of a commit: time, what it has, database, subtransactions and dropped relations 1663/5/16384 and on.
std::string dropping(std::uint32_t relations) {
    std::string text = words(1, 2, 1 | 2 | 4, 5, 1663, 2, 701, 702, relations);
    for (std::uint32_t at = 0; at < relations; ++at) text += words(1663, 5, 16384 + at);
    return text;
}

ForkKey fork(std::uint32_t relation, Fork fork = Fork::main) { return {1663, 5, relation, fork}; }

SegmentChanges read(const MadeWal& wal) { return read_changes(base::as_bytes(wal.segments().at(0)), wal.position()); }

/// What one record changes.
BlockChanges changed_by(std::uint8_t manager, std::uint8_t info, const std::string& main, const MadeBlocks& blocks = {},
                        std::uint16_t magic = kMagic15) {
    MadeWal wal(magic);
    wal.add(manager, info, main, 700, blocks);
    return read(wal).changes;
}

void expect_doubt(DoubtKind kind, const BlockChanges& changes) {
    ASSERT_TRUE(changes.doubted());
    EXPECT_EQ(kind, changes.doubts()[0].kind) << changes.doubts()[0].text;
    EXPECT_EQ(0x500000028u, changes.doubts()[0].lsn.value);
}

void expect_nothing(const BlockChanges& changes) {
    EXPECT_TRUE(changes.empty()) << (changes.doubted() ? changes.doubts()[0].text : "it names blocks");
}

TEST(WalChanges, BlockReferencesOfAnyManager) {
    for (const std::uint8_t manager : {kXlog, kHeap, kGeneric, kMessage}) {
        const BlockChanges changes =
            changed_by(manager, 0xB0, "main", MadeBlocks().refer(16384, 7, 0, 20).refer_same(8).refer(16385, 3).refer(16384, 2, 2));
        EXPECT_FALSE(changes.doubted());
        EXPECT_EQ((Ranges{{7, 9}}), changes.changed(fork(16384), kSize, kSize));
        EXPECT_EQ((Ranges{{3, 4}}), changes.changed(fork(16385), kSize, kSize));
        ASSERT_EQ(3u, changes.forks().size());
        EXPECT_TRUE(changes.forks().at(fork(16384, Fork::visibility)).blocks.contains(2));
    }
}

TEST(WalChanges, CreatingLimitsTheFork) {
    const BlockChanges changes = changed_by(kStorage, kCreate | kSpecial, words(1663, 5, 16384, 3));
    EXPECT_EQ(0u, changes.forks().at(fork(16384, Fork::init)).limit);
    EXPECT_EQ(1u, changes.forks().size());
}

TEST(WalChanges, TruncatingLimitsTheMainForkOnly) {
    const BlockChanges all = changed_by(kStorage, kTruncate | kSpecial, words(40, 1663, 5, 16384, 7));
    EXPECT_EQ((Ranges{{40, kSize}}), all.changed(fork(16384), kSize, kSize));
    EXPECT_EQ(1u, all.forks().size()) << "the number of heap blocks is no limit of another fork";
    expect_nothing(changed_by(kStorage, kTruncate | kSpecial, words(40, 1663, 5, 16384, 6)));
}

TEST(WalChanges, EndsOfTransactionsDropRelations) {
    for (const std::uint16_t magic : {kMagic14, kMagic15, kMagic16, kMagic17, kMagic18})
        for (const std::uint8_t kind : {kCommit, kAbort, kCommitPrepared, std::uint8_t{0x40}}) {
            const BlockChanges changes =
                changed_by(kTransaction, static_cast<std::uint8_t>(kind | kHasInfo | kSpecial), dropping(3), {}, magic);
            EXPECT_FALSE(changes.doubted());
            EXPECT_EQ(12u, changes.forks().size());
            for (std::uint32_t relation = 16384; relation < 16387; ++relation)
                EXPECT_EQ((Ranges{{0, kSize}}), changes.changed(fork(relation), kSize, kSize));
        }
    expect_nothing(changed_by(kTransaction, kCommit, words(1, 2)));
    expect_nothing(changed_by(kTransaction, kCommit | kHasInfo, words(1, 2, 1 | 2, 5, 1663, 1, 701)));
}

TEST(WalChanges, DatabasesAreNumberedDifferentlyIn14) {
    const std::string create = words(16400, 1663, 1, 1664), drop = words(16400, 2, 1663, 16500);
    const std::set<DatabaseKey> made{{1663, 16400}}, gone{{1663, 16400}, {16500, 16400}};
    EXPECT_EQ(made, changed_by(kDatabase, 0x00 | kSpecial, create, {}, kMagic14).replaced());
    EXPECT_EQ(gone, changed_by(kDatabase, 0x10 | kSpecial, drop, {}, kMagic14).replaced());
    expect_doubt(DoubtKind::unknown_record, changed_by(kDatabase, 0x20 | kSpecial, drop, {}, kMagic14));
    for (const std::uint16_t magic : {kMagic15, kMagic16, kMagic17, kMagic18}) {
        EXPECT_EQ(made, changed_by(kDatabase, 0x00 | kSpecial, create, {}, magic).replaced());
        EXPECT_EQ(made, changed_by(kDatabase, 0x10 | kSpecial, words(16400, 1663), {}, magic).replaced());
        EXPECT_EQ(gone, changed_by(kDatabase, 0x20 | kSpecial, drop, {}, magic).replaced());
        expect_doubt(DoubtKind::unknown_record, changed_by(kDatabase, 0x30 | kSpecial, drop, {}, magic));
    }
}

TEST(WalChanges, MinimalLevelIsADoubt) {
    const std::string parameters = words(100, 8, 10, 0, 64, 0, 0), checkpoint = words(1, 2, 1, 1, 1, 0) + std::string(64, 'c');
    for (const std::uint16_t magic : {kMagic14, kMagic15, kMagic16, kMagic17, kMagic18}) {
        const bool told = magic >= kMagic17;
        expect_doubt(DoubtKind::minimal_level, changed_by(kXlog, 0x60, parameters, {}, magic));
        expect_nothing(changed_by(kXlog, 0x60, words(100, 8, 10, 0, 64, 1, 0), {}, magic));
        expect_nothing(changed_by(kXlog, 0x10, checkpoint, {}, magic));
        EXPECT_EQ(told, changed_by(kXlog, 0x00, checkpoint, {}, magic).doubted());
        EXPECT_EQ(told, changed_by(kXlog, 0x90, words(1, 2, 2, 1, 0), {}, magic).doubted());
        expect_nothing(changed_by(kXlog, 0x90, words(1, 2, 2, 1), {}, magic));
        expect_doubt(told ? DoubtKind::minimal_level : DoubtKind::unknown_record, changed_by(kXlog, 0xE0, words(0), {}, magic));
        EXPECT_EQ(!told, changed_by(kXlog, 0xE0, words(1), {}, magic).doubted());
    }
}

TEST(WalChanges, WhatIsNotKnownIsADoubt) {
    const MadeBlocks one = MadeBlocks().refer(16384, 1);
    for (const std::uint8_t manager : {std::uint8_t{22}, std::uint8_t{127}, std::uint8_t{128}, std::uint8_t{255}}) {
        const BlockChanges changes = changed_by(manager, 0, "", one);
        expect_doubt(DoubtKind::unknown_manager, changes);
        EXPECT_EQ(1u, changes.forks().size());
    }
    expect_doubt(DoubtKind::unknown_record, changed_by(kHeap, kSpecial, "", one));
    expect_doubt(DoubtKind::unknown_record, changed_by(kRelationMap, kSpecial, ""));
    expect_doubt(DoubtKind::unknown_record, changed_by(kStorage, 0x30, words(1663, 5, 1, 0)));
    expect_doubt(DoubtKind::unknown_record, changed_by(kTransaction, 0x70, words(1, 2)));
    expect_doubt(DoubtKind::unknown_record, changed_by(kTransaction, kPrepare | kSpecial, words(1, 2)));
    expect_doubt(DoubtKind::unknown_record, changed_by(kXlog, 0xC0, ""));
    expect_doubt(DoubtKind::unknown_record, changed_by(kXlog, 0x10 | kSpecial, ""));
    expect_doubt(DoubtKind::unreadable, changed_by(kStorage, kCreate | kSpecial, words(1663, 5, 16384)));
    expect_doubt(DoubtKind::unreadable, changed_by(kStorage, kCreate | kSpecial, words(1663, 5, 16384, 4)));
    expect_doubt(DoubtKind::unreadable, changed_by(kStorage, kTruncate | kSpecial, words(1, 1663, 5, 16384, 8)));
    expect_doubt(DoubtKind::unreadable, changed_by(kTransaction, kCommit | kHasInfo, dropping(9).substr(0, 90)));
    expect_doubt(DoubtKind::unreadable, changed_by(kDatabase, 0x20, words(16400, 0xFFFFFFFF, 1663)));
    expect_doubt(DoubtKind::unreadable, changed_by(kHeap, 0, "", MadeBlocks().refer(16384, kNoBlock)));
    expect_doubt(DoubtKind::unreadable, changed_by(kHeap, 0, "", MadeBlocks().refer(16384, 1, 4)));
    expect_doubt(DoubtKind::unreadable, changed_by(kHeap, 0, "", MadeBlocks().refer_same(1)));
}

TEST(WalChanges, AManagerIsDoubtedOnce) {
    MadeWal wal;
    for (int at = 0; at < 100; ++at) wal.add(130, 0, "custom");
    EXPECT_EQ(1u, read(wal).changes.doubts().size());
}

TEST(WalChanges, WhatChangesNoRelationIsNone) {
    expect_nothing(changed_by(kTransaction, kPrepare, "prepared"));
    expect_nothing(changed_by(kTransaction, kAssignment, words(700, 1, 701)));
    expect_nothing(changed_by(kRelationMap, 0x00, words(5, 1663, 512)));
    expect_nothing(changed_by(kMessage, 0x00, "a message"));
    expect_nothing(changed_by(kXlog, 0x70, std::string(72, 'p')));
    expect_nothing(changed_by(kXlog, 0xD0, std::string(16, 'o')));
    expect_nothing(changed_by(19, 0x00, std::string(16, 'o')));
}

TEST(WalChanges, BytesThatAreNoSegmentAreADoubt) {
    const SegmentChanges nothing = read_changes(base::as_bytes("no segment at all"));
    ASSERT_TRUE(nothing.changes.doubted());
    EXPECT_EQ(nothing.encode(), summarize_segment(base::as_bytes("no segment at all")).changes.encode());
    MadeWal wal;
    wal.add(kHeap, 0, "", 700, MadeBlocks().refer(16384, 1));
    std::string segment = wal.segments()[0];
    EXPECT_TRUE(read_changes(base::as_bytes(segment)).changes.doubted()) << "its records end early";
    segment[70] ^= 1;
    EXPECT_TRUE(read_changes(base::as_bytes(segment), wal.position()).changes.doubted());
}

/// A segment's summary as it comes back from where it was stored.
SegmentChanges stored(const std::string& segment) {
    return SegmentChanges::decode(base::as_bytes(read_changes(base::as_bytes(segment)).encode()));
}

struct CutCase {
    const char* name;
    std::uint8_t manager, info;
    std::string main;
    MadeBlocks blocks;
    bool small;  ///< What is kept at the edges always does.
};

std::vector<CutCase> cut_cases() {
    MadeBlocks many;
    for (std::uint32_t at = 0; at < 33; ++at) many.refer(16384 + at, at, 0, 300);
    return {{"image", kHeap, 0x10, "main", MadeBlocks().refer(16384, 1).refer_same(2).refer(16385, 3), true},
            {"many blocks", kHeap, 0x10, std::string(3000, 'm'), many, true},
            {"truncate", kStorage, kTruncate | kSpecial, words(40, 1663, 5, 16384, 7), {}, true},
            {"create", kStorage, kCreate | kSpecial, words(1663, 5, 16384, 0), {}, true},
            {"database", kDatabase, 0x00 | kSpecial, words(16400, 1663, 1, 1663), {}, true},
            {"few dropped", kTransaction, kCommit | kHasInfo | kSpecial, dropping(20), {}, true},
            {"many dropped", kTransaction, kCommit | kHasInfo | kSpecial, dropping(700), {}, false},
            {"minimal", kXlog, 0x60, words(100, 8, 10, 0, 64, 0, 0), {}, true},
            {"unknown", 200, 0x00, "", MadeBlocks().refer(16384, 1), true}};
}

TEST(WalChangesCut, ARecordIsReadWhereverTheCutFalls) {
    for (const CutCase& each : cut_cases()) {
        const std::string whole = changed_by(each.manager, each.info, each.main, each.blocks).encode();
        std::size_t joined = 0, needed = 0, at_once = 0;
        for (std::size_t before_end = 8; before_end <= 9600; before_end += before_end < 1200 ? 8 : 400) {
            SCOPED_TRACE(std::string(each.name) + " cut after " + std::to_string(before_end));
            MadeWal wal;
            wal.fill_until(before_end);
            const base::Lsn cut = wal.add(each.manager, each.info, each.main, 700, each.blocks);
            if (wal.position().value % MadeWal::kSegment > MadeWal::kSegment / 2) break;
            const auto segments = wal.segments();
            if (segments.size() < 2) break;
            SegmentChanges first = stored(segments[0]), full = read_changes(base::as_bytes(segments[0]));
            const SegmentChanges second = stored(segments[1]);
            ASSERT_EQ(full.edges.cut_record, first.edges.cut_record);
            if (!full.edges.cut_record) ++at_once;
            EXPECT_EQ(static_cast<bool>(full.edges.cut_record), first.edges.misses_record_before(cut + base::Bytes{1}));
            EXPECT_FALSE(first.edges.misses_record_before(cut));
            if (join(first, second.edges) == Joined::done)
                ++joined;
            else
                first = full, ++needed;
            EXPECT_TRUE(finish(first, base::as_bytes(segments[1])));
            EXPECT_TRUE(finish(full, base::as_bytes(segments[1])));
            for (SegmentChanges* done : {&first, &full}) {
                EXPECT_FALSE(done->edges.cut_record);
                // A doubt names the record's place, which differs.
                const bool doubted = each.manager == kXlog || each.manager == 200;
                EXPECT_EQ(doubted ? 1u : 0u, done->changes.doubts().size());
                if (!doubted) {
                    EXPECT_EQ(whole, done->changes.encode());
                }
            }
            EXPECT_TRUE(second.changes.forks().empty()) << "the record belongs to the segment where it begins";
        }
        EXPECT_EQ(each.small, joined > 0) << each.name;
        EXPECT_EQ(each.small, needed == 0) << each.name;
        if (each.manager == kHeap) {
            EXPECT_GT(at_once, 0u) << each.name;
        }
    }
}

TEST(WalChangesCut, ARecordLongerThanASegment) {
    MadeWal wal;
    wal.fill_until(64);
    wal.add(kTransaction, kCommit | kHasInfo | kSpecial, dropping(200'000));
    const auto segments = wal.segments();
    ASSERT_EQ(4u, segments.size());
    SegmentChanges first = stored(segments[0]);
    EXPECT_EQ(Joined::needs_segments, join(first, stored(segments[1]).edges));
    EXPECT_TRUE(first.edges.cut_record);
    first = read_changes(base::as_bytes(segments[0]));
    EXPECT_FALSE(finish(first, base::as_bytes(segments[1])));
    EXPECT_FALSE(finish(first, base::as_bytes(segments[2])));
    EXPECT_TRUE(finish(first, base::as_bytes(segments[3])));
    EXPECT_EQ(800'000u, first.changes.forks().size());
    EXPECT_FALSE(first.changes.doubted());
    EXPECT_TRUE(stored(segments[1]).changes.empty());
    EXPECT_TRUE(stored(segments[2]).changes.empty());
}

TEST(WalChangesCut, AnOverwrittenRecordSaysNothing) {
    MadeWal wal;
    wal.fill_until(16);
    wal.add_overwritten(kStorage, kCreate | kSpecial, words(1663, 5, 16384, 0));
    wal.add(kHeap, 0, "", 700, MadeBlocks().refer(16385, 1));
    const auto segments = wal.segments();
    SegmentChanges by_edges = stored(segments[0]), by_segment = read_changes(base::as_bytes(segments[0]));
    EXPECT_TRUE(by_edges.edges.cut_record);
    EXPECT_EQ(Joined::done, join(by_edges, stored(segments[1]).edges));
    expect_nothing(by_edges.changes);
    EXPECT_TRUE(finish(by_segment, base::as_bytes(segments[1])));
    expect_nothing(by_segment.changes);
    EXPECT_EQ(1u, read_changes(base::as_bytes(segments[1]), wal.position()).changes.forks().size());
}

TEST(WalChangesCut, ARecordNotContinuedIsADoubt) {
    MadeWal wal, other;
    wal.fill_until(16);
    wal.add(kStorage, kCreate | kSpecial, words(1663, 5, 16384, 0));
    wal.fill_until(40);
    wal.add(kHeap, 0, std::string(200, 'x'));
    other.fill_until(200);
    other.add(kHeap, 0, std::string(900, 'y'));
    const auto segments = wal.segments(), others = other.segments();
    const SegmentChanges first = stored(segments[0]);
    const auto expect_unfinished = [](const SegmentChanges& segment) {
        ASSERT_EQ(1u, segment.changes.doubts().size());
        EXPECT_EQ(DoubtKind::unfinished, segment.changes.doubts()[0].kind);
        EXPECT_FALSE(segment.edges.cut_record);
    };
    for (const SegmentEdges& wrong : {stored(others[1]).edges, stored(segments[2]).edges, SegmentEdges{}}) {
        SegmentChanges joined = first;
        EXPECT_EQ(Joined::done, join(joined, wrong));
        expect_unfinished(joined);
    }
    SegmentChanges damaged = first;
    SegmentEdges next = stored(segments[1]).edges;
    next.head.back() ^= 1;
    EXPECT_EQ(Joined::done, join(damaged, next));
    expect_unfinished(damaged);
    for (const std::string& wrong : {others[1], std::string("nothing")}) {
        SegmentChanges finished = read_changes(base::as_bytes(segments[0]));
        EXPECT_TRUE(finish(finished, base::as_bytes(wrong)));
        expect_unfinished(finished);
    }
    SegmentChanges given_up = first;
    give_up(given_up, "the segment is gone");
    expect_unfinished(given_up);
    give_up(given_up, "once more");
    EXPECT_EQ(1u, given_up.changes.doubts().size());
}

TEST(WalChangesCut, ASwitchIsNoDoubt) {
    MadeWal wal;
    wal.add(kHeap, 0, "", 700, MadeBlocks().refer(16384, 1));
    wal.add(kXlog, 0x40, "");
    const SegmentChanges changes = read_changes(base::as_bytes(wal.segments()[0]));
    EXPECT_FALSE(changes.changes.doubted());
    EXPECT_FALSE(changes.edges.cut_record);
    EXPECT_LE(changes.encode().size(), 40u);
}

TEST(WalChangesCut, DamagedBytesFail) {
    MadeWal wal;
    wal.fill_until(16);
    wal.add(kStorage, kCreate | kSpecial, words(1663, 5, 16384, 0));
    wal.add(kXlog, 0x40, "");
    for (const std::string& segment : wal.segments()) {
        const std::string bytes = read_changes(base::as_bytes(segment)).encode();
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_THROW(SegmentChanges::decode(base::as_bytes(bytes.substr(0, size))), base::Failure) << size;
        EXPECT_THROW(SegmentChanges::decode(base::as_bytes(bytes + '\0')), base::Failure);
    }
}

}  // namespace
}  // namespace howdah::postgres
