#include "archive/coverage.hpp"

#include "fixture.hpp"

namespace howdah::archive {
namespace {

using base::FailureKind;
using base::Lsn;
using base::Timeline;
using postgres::WalSegment;
using test::failure_of;
using test::kMiB;

Lsn at(std::uint64_t segment, std::uint64_t offset = 0) { return {segment * kMiB + offset}; }
std::string name(std::uint32_t timeline, std::uint64_t number) { return WalSegment{{timeline}, number}.name(kMiB); }

class CoverageTest : public test::RepositoryTest {
protected:
    void branch(std::uint32_t child, std::uint32_t parent, Lsn lsn) {
        std::string text = parent > 1 ? archive().history({parent}).value_or("") : "";
        archive().put_history(postgres::history_name({child}),
                              text + std::to_string(parent) + "\t" + base::text(lsn) + "\tno recovery target specified\n\n");
    }
    WalPath path(std::uint32_t timeline, Lsn start, Lsn stop, std::optional<Timeline> target = std::nullopt) {
        return find_path(archive(), {timeline}, start, stop, target, kMiB);
    }
};

TEST_F(CoverageTest, RangesAndGapsOfOneTimeline) {
    fill(1, 3, 5);
    fill(1, 8, 8);
    const auto ranges = archive().ranges(kMiB);
    ASSERT_EQ(ranges.size(), 2u);
    EXPECT_EQ(ranges[0].first.number, 3u);
    EXPECT_EQ(ranges[0].last.number, 5u);
    const auto gaps = find_gaps(archive(), kMiB);
    ASSERT_EQ(gaps.size(), 1u);
    EXPECT_EQ(gaps[0].first.number, 6u);
    EXPECT_EQ(gaps[0].last.number, 7u);
}

TEST_F(CoverageTest, OneTimelineToItsEnd) {
    fill(1, 3, 6);
    const WalPath found = path(1, at(4, 40), at(5, 200));
    EXPECT_EQ(found.segments, (std::vector{name(1, 4), name(1, 5), name(1, 6)}));
    EXPECT_EQ(found.first_missing, std::nullopt);
    ASSERT_EQ(found.legs.size(), 1u);
    EXPECT_EQ(found.legs[0].begin, at(4, 40));
    EXPECT_EQ(found.legs[0].end, at(7));
}

TEST_F(CoverageTest, AGapOnTheWayIsNamed) {
    fill(1, 3, 5);
    fill(1, 7, 8);
    const WalPath found = path(1, at(3, 40), at(4));
    EXPECT_EQ(found.first_missing, name(1, 6));
    EXPECT_EQ(found.segments.back(), name(1, 5));
}

TEST_F(CoverageTest, WalThatTheBackupNeedsAndIsNotThereIsNamed) {
    fill(1, 3, 4);
    EXPECT_EQ(path(1, at(2, 40), at(3)).first_missing, name(1, 2));
    EXPECT_EQ(path(1, at(3, 40), at(6)).first_missing, name(1, 5));
    EXPECT_EQ(path(1, at(3, 40), at(5)).first_missing, std::nullopt);
}

TEST_F(CoverageTest, TheSegmentOfASwitchIsTakenFromTheNewTimeline) {
    fill(1, 3, 6);
    branch(2, 1, at(5, 100));
    fill(2, 5, 7);
    const WalPath found = path(1, at(3, 40), at(4));
    EXPECT_EQ(found.segments, (std::vector{name(1, 3), name(1, 4), name(2, 5), name(2, 6), name(2, 7)}));
    ASSERT_EQ(found.legs.size(), 2u);
    EXPECT_EQ(found.legs[0].end, at(5, 100));
    EXPECT_EQ(found.legs[1].begin, at(5, 100));
    EXPECT_EQ(found.legs[1].end, at(8));
    EXPECT_EQ(found.first_missing, std::nullopt);
}

TEST_F(CoverageTest, TheOldTimelinesCopyIsNotTakenForTheNewOnes) {
    fill(1, 3, 5);
    branch(2, 1, at(5, 100));
    const WalPath ended = path(1, at(3, 40), at(4));
    EXPECT_EQ(ended.segments, (std::vector{name(1, 3), name(1, 4)}));
    EXPECT_EQ(ended.first_missing, name(2, 5));
    fill(2, 6, 7);
    EXPECT_EQ(path(1, at(3, 40), at(4)).first_missing, name(2, 5));
    EXPECT_EQ(path(1, at(3, 40), at(4), Timeline{1}).segments.back(), name(1, 5));
}

TEST_F(CoverageTest, ASwitchAtASegmentsEndNeedsNoCopy) {
    fill(1, 3, 5);
    branch(2, 1, at(5));
    fill(2, 5, 6);
    EXPECT_EQ(path(1, at(3, 40), at(4)).segments, (std::vector{name(1, 3), name(1, 4), name(2, 5), name(2, 6)}));
}

TEST_F(CoverageTest, ANamedTimelineIsFollowedAndNotTheNewest) {
    fill(1, 3, 6);
    branch(2, 1, at(5, 100));
    fill(2, 5, 7);
    EXPECT_EQ(path(1, at(3, 40), at(4), Timeline{1}).segments.back(), name(1, 6));
}

TEST_F(CoverageTest, TimelinesOverGrandparents) {
    fill(1, 3, 4);
    branch(2, 1, at(4, 100));
    fill(2, 4, 6);
    branch(3, 2, at(6, 100));
    fill(3, 6, 7);
    EXPECT_EQ(path(1, at(3, 40), at(4)).segments, (std::vector{name(1, 3), name(2, 4), name(2, 5), name(3, 6), name(3, 7)}));
}

TEST_F(CoverageTest, WalAboveAMissingHistoryIsRefused) {
    fill(1, 3, 5);
    branch(2, 1, at(5, 100));
    fill(2, 5, 6);
    fill(3, 6, 6);
    EXPECT_EQ(failure_of([&] { path(1, at(3, 40), at(4)); }), FailureKind::operation);
    EXPECT_EQ(failure_of([&] { path(1, at(3, 40), at(4), Timeline{3}); }), FailureKind::operation);
    EXPECT_EQ(path(1, at(3, 40), at(4), Timeline{2}).segments.back(), name(2, 6));
}

TEST_F(CoverageTest, ATimelineThatLeftBeforeTheBackupsEndIsRefused) {
    fill(1, 3, 6);
    branch(2, 1, at(4, 100));
    fill(2, 4, 6);
    EXPECT_EQ(failure_of([&] { path(1, at(3, 40), at(5)); }), FailureKind::operation);
    EXPECT_EQ(path(1, at(3, 40), at(5), Timeline{1}).segments.back(), name(1, 6));
}

TEST_F(CoverageTest, ATimelineOfAnotherBranchIsRefused) {
    fill(1, 3, 4);
    branch(2, 1, at(4, 100));
    fill(2, 4, 6);
    archive().put_history("00000003.history", "1\t" + base::text(at(4, 50)) + "\tno recovery target specified\n");
    fill(3, 4, 6);
    EXPECT_EQ(failure_of([&] { path(2, at(5, 40), at(6)); }), FailureKind::operation);
    EXPECT_EQ(path(2, at(5, 40), at(6), Timeline{2}).segments.back(), name(2, 6));
}

TEST_F(CoverageTest, AGapWhereATimelineWasSwitched) {
    fill(1, 3, 3);
    branch(2, 1, at(5, 100));
    fill(2, 6, 7);
    const auto gaps = find_gaps(archive(), kMiB);
    ASSERT_EQ(gaps.size(), 2u);
    EXPECT_EQ(gaps[0].first.name(kMiB), name(1, 4));
    EXPECT_EQ(gaps[0].last.name(kMiB), name(1, 4));
    EXPECT_EQ(gaps[1].first.name(kMiB), name(2, 5));
}

}  // namespace
}  // namespace howdah::archive
