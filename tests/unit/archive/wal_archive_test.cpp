#include "archive/wal_archive.hpp"

#include "fixture.hpp"

namespace howdah::archive {
namespace {

using base::FailureKind;
using postgres::WalSegment;
using test::failure_of;
using test::kMiB;
using test::make_segment;

class WalArchiveTest : public test::RepositoryTest {};

TEST_F(WalArchiveTest, GivesBackWhatWasPutForEverySegmentSize) {
    for (const std::uint64_t size : {kMiB, 16 * kMiB, 64 * kMiB}) {
        WalArchive wal = archive("size" + std::to_string(size));
        const WalSegment segment{{1}, 5};
        const auto bytes = make_segment(segment, size);
        EXPECT_EQ(wal.put_segment(segment.name(size), bytes, context_), Stored::added);
        EXPECT_EQ(wal.get(segment.name(size), context_), bytes);
        EXPECT_EQ(wal.segment_size(), size);
        EXPECT_EQ(wal.trailer(segment.name(size))->segment_size, size);
    }
}

TEST_F(WalArchiveTest, SameBytesAgainAreSuccessAndOthersAreRefused) {
    WalArchive wal = archive();
    const WalSegment segment{{1}, 5};
    const std::string name = segment.name(kMiB);
    const auto bytes = make_segment(segment);
    wal.put_segment(name, bytes, context_);
    EXPECT_EQ(wal.put_segment(name, bytes, context_), Stored::already_there);
    auto other = bytes;
    other.back() = std::byte{1};
    EXPECT_EQ(failure_of([&] { wal.put_segment(name, other, context_); }), FailureKind::operation);
    EXPECT_EQ(wal.get(name, context_), bytes);
}

TEST_F(WalArchiveTest, ZerosCostNothing) {
    WalArchive wal = archive();
    const WalSegment segment{{1}, 5};
    base::Bytes stored;
    wal.put_segment(segment.name(16 * kMiB), make_segment(segment, 16 * kMiB, test::kSystem, 0), context_, &stored);
    EXPECT_GT(stored.count, 0u);
    EXPECT_LT(stored.count, 16384u);
}

TEST_F(WalArchiveTest, RefusesWhatIsNotTheSegmentOfItsName) {
    WalArchive wal = archive();
    const WalSegment segment{{1}, 5};
    const std::string name = segment.name(kMiB);
    const auto put = [&](const std::string& as, const std::vector<std::byte>& bytes) {
        return failure_of([&] { wal.put_segment(as, bytes, context_); });
    };
    EXPECT_EQ(put(name, make_segment(segment, kMiB, test::kOther)), FailureKind::configuration);
    EXPECT_EQ(put(segment.next().name(kMiB), make_segment(segment)), FailureKind::operation);
    EXPECT_EQ(put(name, make_segment({{2}, 5})), FailureKind::operation);
    EXPECT_EQ(put(name, std::vector<std::byte>(kMiB)), FailureKind::operation);
    auto cut = make_segment(segment);
    cut.resize(kMiB / 2);
    EXPECT_EQ(put(name, cut), FailureKind::operation);
    auto magic = make_segment(segment);
    magic[0] = std::byte{0xFF};
    EXPECT_EQ(put(name, magic), FailureKind::operation);
    EXPECT_FALSE(wal.has(name));
}

TEST_F(WalArchiveTest, ASwitchedSegmentBearsTheOlderTimelineOnItsFirstPage) {
    WalArchive wal = archive();
    EXPECT_EQ(wal.put_segment(WalSegment{{2}, 5}.name(kMiB), make_segment({{1}, 5}), context_), Stored::added);
    EXPECT_EQ(wal.trailer(WalSegment{{2}, 5}.name(kMiB))->timeline.value, 2u);
}

TEST_F(WalArchiveTest, APartialIsNoSegment) {
    WalArchive wal = archive();
    const WalSegment segment{{1}, 5};
    const std::string partial = segment.name(kMiB) + ".partial";
    wal.put_segment(partial, make_segment(segment), context_);
    EXPECT_TRUE(wal.has(partial));
    EXPECT_FALSE(wal.has(segment.name(kMiB)));
    EXPECT_EQ(wal.get(segment.name(kMiB), context_), std::nullopt);
    EXPECT_TRUE(wal.ranges(kMiB).empty());
}

TEST_F(WalArchiveTest, HistoriesAreKeptAndCompared) {
    WalArchive wal = archive();
    EXPECT_EQ(wal.put_history("00000002.history", "1\t0/5000000\tno recovery target specified\n"), Stored::added);
    EXPECT_EQ(wal.put_history("00000002.history", "1\t0/5000000\tno recovery target specified\n"), Stored::already_there);
    EXPECT_EQ(failure_of([&] { wal.put_history("00000002.history", "1\t0/6000000\tx\n"); }), FailureKind::operation);
    EXPECT_EQ(wal.histories(), std::vector<base::Timeline>{{2}});
    EXPECT_EQ(wal.history({3}), std::nullopt);
}

TEST_F(WalArchiveTest, AnOutageIsNeverAnAnswer) {
    WalArchive wal = archive();
    fill(1, 5, 5);
    std::filesystem::rename(repository_folder(), folder_.path() / "away");
    const std::string name = WalSegment{{1}, 6}.name(kMiB);
    EXPECT_EQ(failure_of([&] { wal.has(name); }), FailureKind::repository);
    EXPECT_EQ(failure_of([&] { wal.get(name, context_); }), FailureKind::repository);
    EXPECT_EQ(failure_of([&] { wal.ranges(kMiB); }), FailureKind::repository);
    EXPECT_EQ(failure_of([&] { wal.histories(); }), FailureKind::repository);
}

TEST_F(WalArchiveTest, DamageIsFoundByReading) {
    WalArchive wal = archive();
    fill(1, 5, 5);
    const std::string name = WalSegment{{1}, 5}.name(kMiB);
    const auto path = repository_folder() / wal.area().wal(name);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    {
        const base::File file = base::File::open(path, O_RDWR);
        std::byte one;
        file.read_at({&one, 1}, 60);
        one ^= std::byte{1};
        file.write_at({&one, 1}, 60);
    }
    EXPECT_EQ(failure_of([&] { wal.get(name, context_); }), FailureKind::operation);
    EXPECT_EQ(failure_of([&] { wal.put_segment(name, make_segment({{1}, 5}), context_); }), FailureKind::operation);
}

TEST_F(WalArchiveTest, NamesThatAreNoWalFilesAreWrongUse) {
    EXPECT_EQ(failure_of([&] { archive().has("../../etc/passwd"); }), FailureKind::usage);
    EXPECT_EQ(failure_of([&] { archive().get("00000001", context_); }), FailureKind::usage);
}

}  // namespace
}  // namespace howdah::archive
