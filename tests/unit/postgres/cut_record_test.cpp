#include <gtest/gtest.h>

#include "base/file.hpp"
#include "made_wal.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::postgres {
namespace {

using testing::MadeWal;

constexpr std::uint8_t kXlog = 0, kTransaction = 1, kTablespace = 5;
constexpr std::uint8_t kSwitch = 0x40, kRestorePoint = 0x70, kCommit = 0x00, kCreate = 0x00;
const base::Timestamp kTime = base::Timestamp(std::chrono::sys_days(std::chrono::year(2000) / 1 / 1)) + base::Duration(0x0102030405060);

std::string time_bytes() {
    constexpr std::int64_t microseconds = 0x0102030405060;
    return {reinterpret_cast<const char*>(&microseconds), sizeof microseconds};
}

WalSegmentFacts walk(const std::string& segment) { return walk_segment(base::as_bytes(segment)); }
bool finish(const std::string& segment, WalSegmentFacts& facts) { return finish_cut_record(base::as_bytes(segment), facts); }

/// The records before the cut are whole, so that only the cut one is in question.
void expect_sound(const WalSegmentFacts& facts, base::Lsn cut) {
    EXPECT_EQ("", facts.doubt);
    EXPECT_EQ(cut, facts.cut_record);
    EXPECT_FALSE(facts.tail.empty());
    EXPECT_EQ(facts.header.page_address.value + MadeWal::kSegment, facts.end_of_records.value);
}

TEST(CutRecord, CommitIsCountedOnceWhereverTheCutFalls) {
    for (std::size_t before_end = 8; before_end <= 40; before_end += 8) {
        MadeWal wal;
        wal.fill_until(before_end);
        const base::Lsn cut = wal.add(kTransaction, kCommit, time_bytes() + std::string(20, '\0'), 4711);
        wal.add(10, 0, "after");
        const auto segments = wal.segments();
        WalSegmentFacts facts = walk(segments[0]);
        expect_sound(facts, cut);
        const bool readable = before_end >= 24 + 2 + 8;
        EXPECT_EQ(readable ? 1u : 0u, facts.commits) << before_end;
        EXPECT_EQ(!readable, facts.tail_unread);
        EXPECT_TRUE(finish(segments[1], facts));
        EXPECT_EQ("", facts.doubt);
        EXPECT_EQ(1u, facts.commits);
        EXPECT_EQ(kTime, facts.last_commit_time);
        EXPECT_EQ(4711u, facts.highest_xid);
        EXPECT_TRUE(facts.tail.empty());
        EXPECT_FALSE(facts.tail_unread);

        const WalSegmentFacts next = walk(segments[1]);
        EXPECT_EQ(1u, next.records);
        EXPECT_EQ(0u, next.commits);
        EXPECT_NE(std::string::npos, next.doubt.find("before the segment does")) << next.doubt;
    }
}

TEST(CutRecord, TablespaceAndRestorePointAreFoundByFinishing) {
    for (std::size_t before_end = 8; before_end <= 32; before_end += 8) {
        MadeWal wal;
        wal.fill_until(before_end);
        const base::Lsn cut = wal.add(kTablespace, kCreate, std::string("\x10\x40\0\0/srv/space\0", 15));
        wal.fill_until(before_end);
        wal.add(kXlog, kRestorePoint, time_bytes() + "here" + std::string(60, '\0'));
        const auto segments = wal.segments();

        WalSegmentFacts first = walk(segments[0]);
        expect_sound(first, cut);
        EXPECT_TRUE(first.tail_unread);
        EXPECT_TRUE(first.tablespaces.empty());
        EXPECT_TRUE(finish(segments[1], first));
        ASSERT_EQ(1u, first.tablespaces.size());
        EXPECT_EQ("/srv/space", first.tablespaces[0].path);
        EXPECT_EQ(0x4010u, first.tablespaces[0].oid);
        EXPECT_EQ(cut, first.tablespaces[0].lsn);

        WalSegmentFacts second = walk(segments[1]);
        EXPECT_TRUE(second.tail_unread);
        EXPECT_TRUE(finish(segments[2], second));
        ASSERT_EQ(1u, second.restore_points.size());
        EXPECT_EQ("here", second.restore_points[0].name);
        EXPECT_EQ(kTime, second.restore_points[0].time);
    }
}

TEST(CutRecord, IsFinishedByTheHeadAlone) {
    for (std::size_t before_end = 8; before_end <= 32; before_end += 8) {
        MadeWal wal;
        wal.fill_until(before_end);
        const base::Lsn cut = wal.add(kTablespace, kCreate, std::string("\x10\x40\0\0", 4) + "/srv/" + std::string(1018, 's') + '\0');
        wal.fill_until(before_end);
        wal.add(kXlog, kRestorePoint, time_bytes() + "here" + std::string(60, '\0'));
        const auto segments = wal.segments();
        std::vector<WalSegmentFacts> facts;
        for (const auto& segment : segments) facts.push_back(walk(segment));
        EXPECT_EQ("", facts[0].head);

        finish_cut_record_by_head(facts[1].head, facts[0]);
        EXPECT_EQ("", facts[0].doubt);
        ASSERT_EQ(1u, facts[0].tablespaces.size());
        EXPECT_EQ(1023u, facts[0].tablespaces[0].path.size());
        EXPECT_EQ(cut, facts[0].tablespaces[0].lsn);

        auto by_segment = facts[1];
        EXPECT_TRUE(finish(segments[2], by_segment));
        finish_cut_record_by_head(facts[2].head, facts[1]);
        ASSERT_EQ(1u, facts[1].restore_points.size());
        EXPECT_EQ("here", facts[1].restore_points[0].name);
        EXPECT_EQ(by_segment.restore_points[0].lsn, facts[1].restore_points[0].lsn);
    }
}

TEST(CutRecord, IsLeftAloneByAHeadThatDoesNotFit) {
    MadeWal wal;
    wal.fill_until(16);
    wal.add(kTablespace, kCreate, std::string("\x10\x40\0\0/srv/space\0", 15));
    const auto segments = wal.segments();
    const auto head = walk(segments[1]).head;
    for (const auto& wrong : {std::string(), head + "x", head.substr(1)}) {
        auto facts = walk(segments[0]);
        finish_cut_record_by_head(wrong, facts);
        EXPECT_TRUE(facts.tablespaces.empty());
        EXPECT_EQ("", facts.doubt);
    }
    auto damaged = head;
    damaged.back() ^= 1;
    auto facts = walk(segments[0]);
    finish_cut_record_by_head(damaged, facts);
    EXPECT_NE(std::string::npos, facts.doubt.find("checksum")) << facts.doubt;

    MadeWal long_one;
    long_one.fill_until(64);
    long_one.add(10, 0, std::string(kCutRecordBytes + 100, 'l'));
    EXPECT_EQ("", walk(long_one.segments()[1]).head);
}

TEST(CutRecord, SwitchCutAtItsHeadTakesTheNextSegment) {
    for (const std::size_t before_end : {8u, 16u}) {
        MadeWal wal;
        wal.fill_until(before_end);
        wal.add(kXlog, kSwitch, "");
        const WalSegmentFacts next = walk(wal.segments()[1]);
        EXPECT_EQ("", next.doubt);
        EXPECT_TRUE(next.switched);
        EXPECT_EQ(0u, next.records);
    }
}

TEST(CutRecord, LongerThanSeveralSegments) {
    MadeWal wal;
    wal.add(10, 0, "before");
    const base::Lsn cut = wal.add(21, 0, std::string(3 * MadeWal::kSegment + 12345, 'l'));
    wal.add(kTransaction, kCommit, time_bytes(), 9);
    const auto segments = wal.segments();
    ASSERT_EQ(4u, segments.size());
    WalSegmentFacts facts = walk(segments[0]);
    expect_sound(facts, cut);
    EXPECT_EQ(2u, facts.records);
    for (const int middle : {1, 2}) {
        const WalSegmentFacts empty = walk(segments[static_cast<std::size_t>(middle)]);
        EXPECT_EQ("", empty.doubt);
        EXPECT_EQ(0u, empty.records);
        EXPECT_FALSE(empty.first_record);
        EXPECT_FALSE(finish(segments[static_cast<std::size_t>(middle)], facts));
    }
    EXPECT_TRUE(finish(segments[3], facts));
    EXPECT_EQ("", facts.doubt);
    EXPECT_EQ(1u, walk(segments[3]).commits);

    WalSegmentFacts wrong = walk(segments[0]);
    EXPECT_TRUE(finish(segments[2], wrong));
    EXPECT_NE("", wrong.doubt);
}

TEST(CutRecord, OverwrittenAfterACrash) {
    MadeWal wal;
    wal.fill_until(64);
    wal.add_overwritten(kTransaction, kCommit, time_bytes() + std::string(400, 'x'));
    wal.add(kXlog, 0xD0, std::string(16, 'o'));
    wal.add(kTransaction, kCommit, time_bytes(), 5);
    const auto segments = wal.segments();
    WalSegmentFacts facts = walk(segments[0]);
    EXPECT_TRUE(finish(segments[1], facts));
    EXPECT_NE(std::string::npos, facts.doubt.find("not continued")) << facts.doubt;
    const WalSegmentFacts next = walk(segments[1]);
    EXPECT_EQ(2u, next.records);
    EXPECT_EQ(1u, next.commits);
}

TEST(CutRecord, DamageInsideIsADoubt) {
    MadeWal wal;
    wal.fill_until(16);
    wal.add(kTransaction, kCommit, time_bytes(), 5);
    auto segments = wal.segments();
    segments[1][40 + 12] = static_cast<char>(segments[1][40 + 12] ^ 1);
    WalSegmentFacts facts = walk(segments[0]);
    EXPECT_TRUE(finish(segments[1], facts));
    EXPECT_NE(std::string::npos, facts.doubt.find("checksum")) << facts.doubt;
    EXPECT_EQ(0u, facts.commits);
}

TEST(WalDoubt, EachKindOfDamageSaysSo) {
    MadeWal wal;
    for (int number = 0; number < 1000; ++number) wal.add(10, 0, std::string(100, 'a'));
    const std::string good = wal.segments()[0];
    const auto doubt_with = [&](std::size_t at, const std::string& bytes) {
        std::string bad = good;
        bad.replace(at, bytes.size(), bytes);
        return walk(bad).doubt;
    };
    const auto holds = [](const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos ? std::string() : text;
    };
    EXPECT_EQ("", holds(doubt_with(0, "\x21\xD1"), "of no known PostgreSQL version"));
    EXPECT_EQ("", holds(doubt_with(8, "\x28"), "no multiple of the segment size"));
    EXPECT_EQ("", holds(doubt_with(32, std::string("\0\0\0\3", 4)), "segment size 50331648"));
    EXPECT_EQ("", holds(doubt_with(36, std::string("\0\x40", 2)), "WAL pages of 16384 bytes"));
    EXPECT_EQ("", holds(doubt_with(8192, "\x0D"), "has the magic D10D"));
    EXPECT_EQ("", holds(doubt_with(8192 + 2, "\x11"), "unknown flags"));
    EXPECT_EQ("", holds(doubt_with(8192 + 9, "\x40"), "says it is at"));
    EXPECT_EQ("", holds(doubt_with(8192 + 16, "\x01"), "does not continue the record"));
    EXPECT_EQ("", holds(doubt_with(8192 + 4, std::string(4, '\0')), "of timeline 0 after one of 1"));
    EXPECT_EQ("", holds(doubt_with(40, "\x05"), "impossible length: 5"));
    EXPECT_EQ("", holds(doubt_with(40 + 60, "b"), "wrong checksum"));
    EXPECT_EQ("", holds(doubt_with(40 + 128 + 8, "\x08"), "wrong link"));
    EXPECT_EQ("", holds(walk(good.substr(0, 500000)).doubt, "before the segment does"));
    EXPECT_EQ("", holds(walk("").doubt, "no WAL segment"));
    EXPECT_EQ("", holds(walk(good.substr(0, 4000)).doubt, "shorter than one page"));
}

}  // namespace
}  // namespace howdah::postgres
