#include "postgres/wal_reader.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <random>
#include <regex>
#include <set>

#include "base/file.hpp"
#include "postgres/wal_record.hpp"
#include "postgres/wal_walk.hpp"
#include "recorded_wal.hpp"

namespace howdah::postgres {
namespace {

using testing::PrintedRecord;
using testing::RecordedWal;
using testing::Segment;

/// "2026-11-21 01:02:03.456789", as PostgreSQL prints it.
std::string printed_time(base::Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time - day).count();
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), seconds / 3600, seconds / 60 % 60, seconds % 60,
                       (time - day).count() % 1'000'000);
}

bool begins_with_word(const PrintedRecord& record, std::string_view manager, std::string_view word) {
    return record.manager == manager && (record.text == word || record.text.starts_with(std::string(word) + " "));
}

bool is_commit(const PrintedRecord& record) {
    return begins_with_word(record, "Transaction", "COMMIT") || begins_with_word(record, "Transaction", "COMMIT_PREPARED");
}

/// The time in the text of a commit, with all six digits that some versions cut their zeros from.
std::string commit_time(const std::string& text) {
    static const std::regex kTime(R"((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.(\d+))?)");
    std::smatch match;
    const std::string begin = text.substr(0, 200);
    if (!std::regex_search(begin, match, kTime)) return "no time in " + begin;
    std::string fraction = match[3];
    fraction.resize(6, '0');
    return match[1].str() + "." + fraction;
}

class Wal : public ::testing::TestWithParam<unsigned> {
protected:
    const RecordedWal& wal() const { return testing::recorded_wal(GetParam()); }
    static std::span<const std::byte> bytes(const Segment& segment) { return base::as_bytes(segment.bytes); }
};

TEST_P(Wal, HeaderSaysWhatTheServerIs) {
    for (const Segment& segment : wal().segments) {
        const WalSegmentHeader header = parse_segment_header(bytes(segment));
        EXPECT_EQ(wal().server.major(), header.major);
        EXPECT_EQ(segment.number.begin(wal().segment_size), header.page_address);
        EXPECT_EQ(wal().segment_size, header.segment_size);
        EXPECT_EQ(8192u, header.block_size);
        EXPECT_EQ(1u, header.timeline.value);
        EXPECT_EQ(wal().server.sql("select system_identifier from pg_control_system()"),
                  std::to_string(header.system_identifier.value) + "\n");
    }
}

TEST_P(Wal, EveryRecordIsTheOneTheServerPrints) {
    if (!wal().printed) GTEST_SKIP() << "this server has no reader of its own";
    for (const Segment& segment : wal().segments) {
        const WalSegmentHeader header = parse_segment_header(bytes(segment));
        WalWalker walker(bytes(segment), header);
        WalRecord record;
        auto printed = segment.printed.begin();
        while (walker.next(record)) {
            ASSERT_NE(printed, segment.printed.end()) << segment.name << " " << base::text(record.begin);
            EXPECT_EQ(printed->lsn, record.begin);
            EXPECT_EQ(printed->length, record.length);
            if (record.has_header()) {
                EXPECT_EQ(printed->previous, record.previous());
                EXPECT_EQ(printed->xid, record.xid());
            }
            if (record.whole) {
                const auto parts = split_record(record.bytes, record.length, header.major);
                ASSERT_TRUE(parts) << base::text(record.begin) << " " << printed->manager << " " << printed->text;
                EXPECT_EQ(printed->images, parts->images) << base::text(record.begin) << " " << printed->text;
            }
            if (const auto following = printed + 1; following != segment.printed.end() && record.whole) {
                EXPECT_LE(record.end, following->lsn);
                EXPECT_LE(following->lsn.value - record.end.value, kWalLongHeader);
            }
            ++printed;
        }
        EXPECT_EQ("", walker.doubt()) << segment.name;
        EXPECT_EQ(printed, segment.printed.end()) << segment.name;
    }
}

TEST_P(Wal, FactsAreThoseTheServerPrints) {
    if (!wal().printed) GTEST_SKIP() << "this server has no reader of its own";
    for (std::size_t number = 0; number < wal().segments.size(); ++number) {
        const Segment& segment = wal().segments[number];
        WalSegmentFacts facts = walk_segment(bytes(segment));
        for (std::size_t next = number + 1; !facts.tail.empty() && next < wal().segments.size(); ++next)
            finish_cut_record(bytes(wal().segments[next]), facts);
        EXPECT_EQ("", facts.doubt);
        EXPECT_EQ(segment.printed.size(), facts.records) << segment.name;

        std::set<std::string> times, points, created, dropped;
        std::size_t commits = 0;
        for (const PrintedRecord& record : segment.printed) {
            if (is_commit(record)) {
                times.insert(commit_time(record.text));
                ++commits;
            }
            if (begins_with_word(record, "XLOG", "RESTORE_POINT")) points.insert(record.text.substr(14));
            if (begins_with_word(record, "Tablespace", "CREATE")) created.insert(record.text.substr(7));
            if (begins_with_word(record, "Tablespace", "DROP")) dropped.insert(record.text.substr(5));
        }
        EXPECT_EQ(commits, facts.commits) << segment.name;
        EXPECT_EQ(commits > 0, facts.last_commit_time.has_value());
        if (facts.last_commit_time) {
            EXPECT_EQ(*times.begin(), printed_time(*facts.first_commit_time));
            EXPECT_EQ(*times.rbegin(), printed_time(*facts.last_commit_time));
        }
        std::set<std::string> our_points, our_created, our_dropped;
        for (const RestorePoint& point : facts.restore_points) our_points.insert(point.name);
        for (const TablespaceCreated& space : facts.tablespaces) our_created.insert(fmt::format("{} \"{}\"", space.oid, space.path));
        for (const std::uint32_t space : facts.tablespaces_dropped) our_dropped.insert(std::to_string(space));
        EXPECT_EQ(points, our_points);
        EXPECT_EQ(created, our_created);
        EXPECT_EQ(dropped, our_dropped);
        EXPECT_EQ(!segment.printed.empty() && begins_with_word(segment.printed.back(), "XLOG", "SWITCH"), facts.switched) << segment.name;
    }
}

TEST_P(Wal, CommitsHaveTheServersXidsAndTimes) {
    std::string query =
        "set timezone = 'UTC'; select count(*), count(*) filter (where pg_xact_commit_timestamp(xid) is distinct from time and pg_xact_commit_timestamp(xid) > '2021-01-01') from (values ";
    std::size_t commits = 0, aborts = 0;
    for (const Segment& segment : wal().segments) {
        base::Lsn last;
        for_each_commit(bytes(segment), [&](const CommitSeen& seen) {
            EXPECT_LT(last, seen.lsn);
            EXPECT_LT(seen.lsn, seen.end);
            last = seen.lsn;
            if (!seen.committed) ++aborts;
            if (!seen.committed || seen.xid < 3) return;
            query += fmt::format("{}('{}'::xid, '{}'::timestamptz)", commits++ ? ", " : "", seen.xid, printed_time(seen.time));
        });
    }
    EXPECT_GE(commits, 4200u);
    EXPECT_GE(aborts, 61u);
    // Commits by initdb, before track_commit_timestamp, have none; those replayed from the origin elsewhere have its time, 2020.
    const std::string counts = wal().server.sql(query + ") as seen(xid, time) where pg_xact_commit_timestamp(xid) is not null");
    EXPECT_TRUE(counts.ends_with("|0\n")) << counts;
    EXPECT_GE(std::stoul(counts), 4200u) << counts;
}

TEST_P(Wal, WholeSetOfFacts) {
    std::size_t points = 0, created = 0, dropped = 0, switched = 0, middles = 0;
    for (std::size_t number = 0; number < wal().segments.size(); ++number) {
        WalSegmentFacts facts = walk_segment(bytes(wal().segments[number]));
        EXPECT_EQ("", facts.doubt) << wal().segments[number].name;
        EXPECT_EQ(facts.tail.empty(), !facts.cut_record);
        if (!facts.first_record) ++middles;
        switched += facts.switched;
        for (std::size_t next = number + 1; !facts.tail.empty() && next < wal().segments.size(); ++next)
            finish_cut_record(bytes(wal().segments[next]), facts);
        EXPECT_EQ("", facts.doubt);
        EXPECT_FALSE(facts.tail_unread);
        for (const RestorePoint& point : facts.restore_points) {
            ++points;
            EXPECT_TRUE(point.name == "before first" || point.name == "long name " + std::string(53, 'x')) << point.name;
            EXPECT_GT(point.time, base::Timestamp(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1)));
        }
        for (const TablespaceCreated& space : facts.tablespaces) {
            ++created;
            EXPECT_EQ(wal().tablespace_path, space.path);
            EXPECT_EQ(wal().tablespace_oid, std::to_string(space.oid));
        }
        dropped += facts.tablespaces_dropped.size();
    }
    EXPECT_EQ(2u, points);
    EXPECT_EQ(1u, created);
    EXPECT_EQ(1u, dropped);
    EXPECT_EQ(2u, switched);
    if (GetParam() == 1) {
        EXPECT_GE(middles, 2u) << "the long record fills segments of its own";
    }
}

TEST_P(Wal, EveryChangedByteOfARecordIsSeen) {
    // The first segment of the workload, up to where records end: no byte of a header, a length or data may change unseen.
    const Segment& segment = wal().segments.front();
    const WalSegmentFacts good = walk_segment(bytes(segment));
    const std::size_t used = good.end_of_records.value - good.header.page_address.value;
    std::mt19937_64 random(20261121);
    std::size_t unseen = 0;
    const std::size_t rounds = GetParam() == 1 ? 400 : 40;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::string changed = segment.bytes;
        const std::size_t at = random() % used;
        changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1u << random() % 8));
        const WalSegmentFacts facts = walk_segment(base::as_bytes(changed));
        if (facts.doubt.empty()) ++unseen;
    }
    // Padding between records and the system identifier and flags of page headers stand under no sum: a few per cent.
    EXPECT_LE(unseen, rounds / 10);
}

TEST_P(Wal, GarbageNeverCrashes) {
    const Segment& segment = wal().segments[wal().segments.size() / 2];
    std::mt19937_64 random(42);
    const std::size_t rounds = GetParam() == 1 ? 1960 : 40;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::string changed = segment.bytes;
        for (std::size_t flips = random() % 4; flips > 0; --flips) changed[random() % changed.size()] = static_cast<char>(random());
        if (random() % 4 == 0) {  // A stretch of another place, as a torn write leaves it.
            const std::size_t length = random() % 20000, from = random() % (changed.size() - length),
                              to = random() % (changed.size() - length);
            changed.replace(to, length, segment.bytes, from, length);
        }
        if (random() % 3 == 0) changed.resize(random() % changed.size());
        if (random() % 3 == 0) changed.resize(random() % (2 * kWalPageSize));
        // An exact allocation, so that a sanitizer sees any byte read beyond it.
        const std::vector<std::byte> exact(base::as_bytes(changed).begin(), base::as_bytes(changed).end());
        WalSegmentFacts facts = walk_segment(exact);
        for_each_commit(exact, [](const CommitSeen&) {});
        finish_cut_record(exact, facts);
        if (exact.size() != segment.bytes.size()) {
            EXPECT_NE("", facts.doubt);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(OneAnd16MiB, Wal, ::testing::Values(1u, 16u), [](const auto& size) { return std::to_string(size.param) + "MiB"; });

}  // namespace
}  // namespace howdah::postgres
