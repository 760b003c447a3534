#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "base/file.hpp"
#include "postgres/wal_changes.hpp"
#include "postgres/wal_walk.hpp"
#include "printed_changes.hpp"

namespace howdah::postgres {
namespace {

using testing::ChangedWal;
using testing::PrintedChanges;
using testing::RealServer;
using testing::spelled_out;

std::string name(const ForkKey& key) {
    return fmt::format("{}/{}/{} fork {}", key.tablespace, key.database, key.relation, static_cast<int>(key.fork));
}

void expect_same(const PrintedChanges& printed, const BlockChanges& ours) {
    const PrintedChanges expected = printed.trimmed(), found = spelled_out(ours);
    EXPECT_EQ(expected.replaced, found.replaced);
    for (const auto& [key, blocks] : expected.blocks)
        EXPECT_TRUE(found.blocks.contains(key) && found.blocks.at(key) == blocks) << name(key);
    for (const auto& [key, blocks] : found.blocks) EXPECT_TRUE(expected.blocks.contains(key)) << name(key);
    for (const auto& [key, limit] : expected.limits) EXPECT_TRUE(found.limits.contains(key) && found.limits.at(key) == limit) << name(key);
    for (const auto& [key, limit] : found.limits) EXPECT_TRUE(expected.limits.contains(key)) << name(key);
}

class ChangedBlocks : public ::testing::TestWithParam<unsigned> {
protected:
    const ChangedWal& wal() const { return testing::changed_wal(GetParam()); }
    static std::span<const std::byte> bytes(const ChangedWal::Segment& segment) { return base::as_bytes(segment.bytes); }

    /// Each segment's as a repository would give it, finished by its neighbour's edges, or by the segments where these do not do.
    std::vector<SegmentChanges> finished() const {
        const auto& segments = wal().segments;
        std::vector<SegmentChanges> all;
        for (const auto& segment : segments)
            all.push_back(SegmentChanges::decode(base::as_bytes(summarize_segment(bytes(segment)).changes.encode())));
        for (std::size_t at = 0; at + 1 < all.size(); ++at) {
            if (join(all[at], all[at + 1].edges) == Joined::done) continue;
            all[at] = read_changes(bytes(segments[at]));
            for (std::size_t next = at + 1; next < segments.size() && !finish(all[at], bytes(segments[next])); ++next) {
            }
        }
        return all;
    }
};

TEST_P(ChangedBlocks, AreThoseThatTheServerPrintsForEachSegment) {
    if (!wal().printed) GTEST_SKIP() << "this server has no reader of its own";
    const auto all = finished();
    std::size_t cut = 0, bytes_stored = 0;
    PrintedChanges all_printed;
    for (std::size_t at = 0; at < all.size(); ++at) {
        const auto& segment = wal().segments[at];
        SCOPED_TRACE(segment.number.name(wal().segment_size));
        const SegmentSummary summary = summarize_segment(bytes(segment));
        if (summary.changes.edges.cut_record) ++cut;
        all_printed.add(segment.printed);
        bytes_stored += summary.changes.encode().size();
        EXPECT_FALSE(all[at].changes.doubted()) << all[at].changes.doubts().front().text;
        EXPECT_FALSE(all[at].edges.cut_record);
        EXPECT_EQ(segment.printed.records, summary.facts.records);
        expect_same(segment.printed, all[at].changes);
        EXPECT_EQ(read_changes(bytes(segment)).encode(), summary.changes.encode());
    }
    EXPECT_GE(cut, GetParam() == 1 ? 1u : 0u) << "no record was cut, so nothing was finished";
    // The workload did what it says.
    EXPECT_EQ(wal().server.major() >= 15 ? 4u : 0u, all_printed.replaced.size());
    EXPECT_TRUE(std::ranges::any_of(all_printed.limits, [](const auto& item) { return item.second > 0; })) << "no truncation";
    EXPECT_GT(all_printed.limits.size(), 1000u);
    EXPECT_GT(all_printed.trimmed().blocks.size(), 20u);
    RecordProperty("segments", static_cast<int>(all.size()));
    RecordProperty("cut", static_cast<int>(cut));
    RecordProperty("bytes_each", static_cast<int>(bytes_stored / all.size()));
}

TEST_P(ChangedBlocks, AddUpInAnyOrder) {
    if (!wal().printed) GTEST_SKIP() << "this server has no reader of its own";
    auto all = finished();
    PrintedChanges printed;
    for (const auto& segment : wal().segments) printed.add(segment.printed);
    std::mt19937 random(7);
    for (int round = 0; round < 3; ++round) {
        std::shuffle(all.begin(), all.end(), random);
        BlockChanges merged;
        for (const auto& each : all) merged.append(each.changes);
        expect_same(printed, merged);
        EXPECT_EQ(merged, BlockChanges::decode(base::as_bytes(merged.encode())));
    }
}

/// Notes where records begin.
struct Begins : WalObserver {
    std::vector<base::Lsn> seen;
    void begin(const WalSegmentHeader&, const WalWalker&, const std::string&) override {}
    void record(const WalRecord& record) override { seen.push_back(record.begin); }
    void end(const WalWalker&) override {}
};

TEST_P(ChangedBlocks, EndBeforeAnyRecordWithoutLookingFurther) {
    const auto& segment = wal().segments[wal().segments.size() / 2];
    const base::Lsn begin = segment.number.begin(wal().segment_size);
    Begins begins;
    walk_segment(bytes(segment), &begins);
    ASSERT_GT(begins.seen.size(), 300u);
    const std::size_t step = begins.seen.size() / 30;
    for (std::size_t at = 0; at < begins.seen.size(); at += step) {
        const base::Lsn to = begins.seen[at];
        const std::size_t used = to.value - begin.value;
        std::string cut = segment.bytes.substr(0, used);
        cut.resize((used + 8191) / 8192 * 8192, '\xEE');
        const SegmentChanges read = read_changes(base::as_bytes(cut), to);
        EXPECT_FALSE(read.changes.doubted()) << read.changes.doubts().front().text;
        EXPECT_FALSE(read.edges.misses_record_before(to));
        // Once more with all bytes there: the same.
        EXPECT_EQ(read.changes, read_changes(bytes(segment), to).changes);
    }
}

/// PostgreSQL 17 and later summarize WAL themselves: what they name, we must.
TEST_P(ChangedBlocks, HoldWhatTheServersOwnSummariesName) {
    if (wal().server.major() < 17) GTEST_SKIP() << "this server does not summarize its WAL";
    BlockChanges merged;
    for (const auto& each : finished()) merged.append(each.changes);
    const base::Lsn end = wal().segments.back().number.end(wal().segment_size);
    const std::string rows = wal().server.sql(fmt::format(
        "do $$ begin while (select summarized_lsn from pg_get_wal_summarizer_state()) < '{0}' loop perform pg_sleep(0.01); end loop; end $$;"
        "select reltablespace, reldatabase, relfilenode, relforknumber, relblocknumber, is_limit_block "
        "from pg_available_wal_summaries() s, pg_wal_summary_contents(s.tli, s.start_lsn, s.end_lsn) "
        "where s.start_lsn >= '{1}' and s.end_lsn <= '{0}'",
        base::text(end), base::text(wal().segments.front().number.begin(wal().segment_size))));
    std::istringstream lines(rows);
    std::size_t seen = 0;
    for (std::string line; std::getline(lines, line); ++seen) {
        std::replace(line.begin(), line.end(), '|', ' ');
        std::istringstream words(line);
        ForkKey key;
        unsigned fork = 0;
        std::uint32_t block = 0;
        std::string limit;
        words >> key.tablespace >> key.database >> key.relation >> fork >> block >> limit;
        key.fork = static_cast<Fork>(fork);
        if (key.relation == 0) {
            EXPECT_TRUE(merged.is_replaced({key.tablespace, key.database})) << line;
            continue;
        }
        constexpr std::uint32_t kLarge = 0x7FFFFFFF;
        const auto changed = merged.changed(key, kLarge, kLarge, {block, block + 1});
        EXPECT_EQ(1u, changed.size()) << line;
        if (limit == "t" && key.fork == Fork::main) {
            EXPECT_EQ((std::vector<BlockRange>{{block, kLarge}}), merged.changed(key, kLarge, kLarge, {block, kLarge})) << line;
        }
    }
    EXPECT_GT(seen, 1000u);
}

WalSegment position(const RealServer& server, std::uint64_t segment_size) {
    std::string text = server.sql("select pg_current_wal_lsn()");
    text.pop_back();
    return segment_at({1}, *base::parse_lsn(text), segment_size);
}

/// The changes of all segments from `first` up to, and without, `last`.
BlockChanges changes_between(const RealServer& server, WalSegment first, WalSegment last, std::uint64_t segment_size) {
    BlockChanges merged;
    for (WalSegment number = first; number < last; number = number.next()) {
        SegmentChanges each = read_changes(base::as_bytes(server.segment(number.name(segment_size))));
        for (WalSegment next = number.next(); each.edges.cut_record && next < last; next = next.next())
            finish(each, base::as_bytes(server.segment(next.name(segment_size))));
        EXPECT_FALSE(each.edges.cut_record);
        merged.append(each.changes);
    }
    return merged;
}

TEST(ChangedBlocksOfServer, AnEpisodeOfMinimalLevelIsDoubtedAndAfterItNothing) {
    constexpr std::uint64_t kSegment = 1u << 20;
    RealServer server(1, {{"wal_keep_size", "1GB"}});
    server.sql("create table before as select 1; select pg_switch_wal()");
    const WalSegment first = position(server, kSegment);
    server.sql("alter system set wal_level = 'minimal'; alter system set max_wal_senders = 0");
    server.restart();
    server.sql("begin; create table unlogged_here (i int); insert into unlogged_here select generate_series(1, 90000); commit");
    server.sql("alter system reset wal_level; alter system reset max_wal_senders");
    server.restart();
    server.sql("select pg_switch_wal()");
    const WalSegment again = position(server, kSegment);
    server.sql("create table after as select 1; checkpoint; select pg_switch_wal()");
    server.restart();
    server.sql("create table last as select 1; select pg_switch_wal()");
    const WalSegment last = position(server, kSegment);
    const BlockChanges episode = changes_between(server, first, again, kSegment);
    ASSERT_TRUE(episode.doubted());
    for (const ChangeDoubt& doubt : episode.doubts()) EXPECT_EQ(DoubtKind::minimal_level, doubt.kind) << doubt.text;
    const BlockChanges later = changes_between(server, again, last, kSegment);
    EXPECT_FALSE(later.doubted()) << later.doubts().front().text;
}

/// Without a reader of the server's own: 14 numbers these records differently.
TEST(ChangedBlocksOfServer, DatabasesMadeMovedAndDroppedAreReplaced) {
    constexpr std::uint64_t kSegment = 1u << 20;
    RealServer server(1, {{"wal_keep_size", "1GB"}});
    server.sql(fmt::format("create tablespace space location '{}';", server.make_folder("space")));
    server.sql("create database moved; select pg_switch_wal()");
    const auto number = [&](const char* query) { return static_cast<std::uint32_t>(std::stoul(server.sql(query))); };
    const std::uint32_t space = number("select oid from pg_tablespace where spcname = 'space'");
    const std::uint32_t moved = number("select oid from pg_database where datname = 'moved'");
    const WalSegment first = position(server, kSegment);
    server.sql("create database made");
    const std::uint32_t made = number("select oid from pg_database where datname = 'made'");
    server.sql("alter database moved set tablespace space");
    server.sql("select pg_switch_wal()");
    const WalSegment middle = position(server, kSegment);
    server.sql("drop database made");
    server.sql("select pg_switch_wal()");
    const BlockChanges changes = changes_between(server, first, middle, kSegment);
    EXPECT_FALSE(changes.doubted()) << changes.doubts().front().text;
    EXPECT_EQ((std::set<DatabaseKey>{{1663, made}, {1663, moved}, {space, moved}}), changes.replaced());
    const BlockChanges dropped = changes_between(server, middle, position(server, kSegment), kSegment);
    EXPECT_FALSE(dropped.doubted()) << dropped.doubts().front().text;
    EXPECT_EQ((std::set<DatabaseKey>{{1663, made}}), dropped.replaced());
}

TEST(ChangedBlocksOfServer, CrashesAreNoDoubt) {
    constexpr std::uint64_t kSegment = 1u << 20;
    RealServer server(1, {{"wal_keep_size", "1GB"}, {"synchronous_commit", "off"}});
    server.sql("create table t (i int, x text); select pg_switch_wal()");
    const WalSegment first = position(server, kSegment);
    for (int crash = 0; crash < 4; ++crash) {
        server.sql("insert into t select i, repeat('x', i % 2000) from generate_series(1, 3000) i");
        server.crash();
    }
    server.sql("select pg_switch_wal()");
    const BlockChanges changes = changes_between(server, first, position(server, kSegment), kSegment);
    EXPECT_FALSE(changes.doubted()) << changes.doubts().front().text;
    EXPECT_GT(changes.forks().size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(OneAnd16MiB, ChangedBlocks, ::testing::Values(1u, 16u),
                         [](const auto& size) { return std::to_string(size.param) + "MiB"; });

}  // namespace
}  // namespace howdah::postgres
