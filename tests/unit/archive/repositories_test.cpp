#include <algorithm>

#include "archive/filler.hpp"
#include "archive/put_everywhere.hpp"
#include "archive/repository_backlog.hpp"
#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;
using test::kMiB;
using test::make_segment;

std::string name(std::uint64_t number) { return postgres::WalSegment{{1}, number}.name(kMiB); }

TEST(RepositoryBacklog, KeepsNamesInOrderWithTheirTime) {
    const base::TemporaryDirectory folder("howdah-backlog");
    const RepositoryBacklog backlog(folder.path() / "a" / "b");
    EXPECT_TRUE(backlog.list().empty());
    EXPECT_FALSE(backlog.oldest_age());
    backlog.add(name(7), false);
    backlog.add(name(5), false);
    backlog.add("00000002.history", false);
    const fs::path five = folder.path() / "a" / "b" / name(5);
    fs::last_write_time(five, fs::last_write_time(five) - std::chrono::hours(3));
    backlog.add(name(5), false);
    ASSERT_EQ(backlog.list().size(), 3u);
    EXPECT_EQ(backlog.list()[0].name, "00000002.history");
    EXPECT_EQ(backlog.list()[1].name, name(5));
    backlog.remove("00000002.history");
    EXPECT_GT(*backlog.oldest_age(), std::chrono::hours(2)) << "noted twice, it keeps its time";
    EXPECT_FALSE(backlog.differing());
    backlog.add(name(5), true);
    EXPECT_EQ(backlog.differing(), name(5));
    EXPECT_GT(*backlog.oldest_age(), std::chrono::hours(2));
    EXPECT_EQ(backlog.list().size(), 2u);
    backlog.remove(name(5));
    EXPECT_FALSE(backlog.differing());
    EXPECT_FALSE(backlog.since_down());
    backlog.note_down();
    EXPECT_LT(*backlog.since_down(), std::chrono::minutes(1));
    EXPECT_EQ(backlog.list().size(), 1u) << "the mark is no file";
    backlog.note_up();
    EXPECT_FALSE(backlog.since_down());
}

TEST(RepositoryBacklog, ParallelServersAndUpgradedOnesHaveTheirOwn) {
    EXPECT_EQ(backlog_folder("/s/wal-backlog", "main", {42}, "offsite"), "/s/wal-backlog/main/42/offsite");
}

/// A second encrypted repository.
class TwoRepositories : public test::RepositoryTest {
protected:
    TwoRepositories() {
        second_.name = "second";
        second_.url = "file://" + (folder_.path() / "second").string();
        second_.key_file = folder_.path() / "second.key";
        repository::initialise(second_, true);
        other_.emplace(repository::Repository::open(second_));
    }
    WalArchive other() { return WalArchive(*other_, repository::ClusterArea("main", test::kSystem)); }

    base::RepositoryConfig second_;
    std::optional<repository::Repository> other_;
};

TEST_F(TwoRepositories, WhatFailsInOneHarmsNoOther) {
    WalArchive first = archive(), second = other();
    const std::vector<WalArchive*> both{&first, &second};
    const auto bytes = make_segment({{1}, 5});
    base::Bytes stored;
    auto results = put_everywhere(both, name(5), bytes, context_, &stored);
    ASSERT_EQ(results.size(), 2u);
    EXPECT_FALSE(results[0].failure || results[1].failure);
    EXPECT_GT(stored.count, 0u);
    EXPECT_TRUE(first.get(name(5), context_) == bytes);
    EXPECT_TRUE(second.get(name(5), context_) == bytes);

    second.put_segment(name(6), make_segment({{1}, 6}, kMiB, test::kSystem, 9), context_);
    results = put_everywhere(both, name(6), make_segment({{1}, 6}), context_);
    EXPECT_FALSE(results[0].failure);
    EXPECT_THROW(std::rethrow_exception(results[1].failure), Different);

    fs::rename(folder_.path() / "second", folder_.path() / "away");
    results = put_everywhere(both, name(7), make_segment({{1}, 7}), context_);
    EXPECT_FALSE(results[0].failure);
    EXPECT_TRUE(results[1].failure);
    EXPECT_TRUE(first.has(name(7)));
    EXPECT_THROW(put_everywhere(both, name(8), make_segment({{1}, 9}), context_), base::Failure) << "the segment itself is wrong";
}

TEST_F(TwoRepositories, IncompressibleFramesComeBackToo) {
    auto bytes = make_segment({{1}, 5});
    std::uint64_t noise = 1;
    for (std::size_t i = 8192; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>((noise = noise * 6364136223846793005u + 1) >> 56);
    WalArchive first = archive(), second = other();
    const std::vector<WalArchive*> both{&first, &second};
    put_everywhere(both, name(5), bytes, context_);
    EXPECT_TRUE(first.get(name(5), context_) == bytes);
    EXPECT_TRUE(second.get(name(5), context_) == bytes);
    EXPECT_TRUE(second.trailer(name(5)));
}

TEST_F(TwoRepositories, ASegmentIsCopiedAsItIs) {
    fill(1, 5, 6);
    WalArchive first = archive(), second = other();
    EXPECT_TRUE(copy_segment(first, second, name(5), context_));
    EXPECT_TRUE(second.get(name(5), context_) == make_segment({{1}, 5}));
    EXPECT_EQ(second.trailer(name(5))->segment, name(5));
    EXPECT_TRUE(copy_segment(first, second, name(5), context_)) << "the same bytes again";
    EXPECT_FALSE(copy_segment(first, second, name(9), context_));
    second.put_segment(name(6), make_segment({{1}, 6}, kMiB, test::kSystem, 9), context_);
    EXPECT_THROW(copy_segment(first, second, name(6), context_), Different);
    WalArchive stranger(*other_, repository::ClusterArea("main", test::kOther));
    EXPECT_THROW(copy_segment(first, stranger, name(5), context_), base::Failure);
}

TEST_F(TwoRepositories, OneReadsWhatTheOtherHas) {
    fill(1, 5, 6);
    WalArchive first = archive(), second = other();
    second.put_segment(name(7), make_segment({{1}, 7}), context_);
    second.put_history("00000002.history", "1\t0/500000\tx\n");
    WalArchive both = archive();
    both.read_also(*other_);
    EXPECT_EQ(both.segments(), (std::vector<std::string>{name(5), name(6), name(7)}));
    EXPECT_TRUE(both.has(name(7)));
    EXPECT_FALSE(both.has(name(8)));
    EXPECT_TRUE(both.get(name(7), context_) == make_segment({{1}, 7}));
    EXPECT_TRUE(both.trailer(name(7)));
    EXPECT_EQ(both.history({2}), "1\t0/500000\tx\n");
    EXPECT_EQ(both.histories().size(), 1u);
    EXPECT_FALSE(first.has(name(7)));
}

TEST_F(TwoRepositories, WithNothingInCommonNothingIsTaken) {
    fill(1, 5, 5);
    WalArchive first = archive(), second = other();
    second.put_segment(name(6), make_segment({{1}, 6}), context_);
    PushWorker worker(1);
    Filler filler({&first, &second}, {}, kMiB);
    EXPECT_THROW(filler.fill(first, name(6), worker), base::Failure);
    EXPECT_FALSE(first.has(name(6)));
    EXPECT_EQ(filler.fill(first, name(8), worker), FilledFrom::nowhere);
}

}  // namespace
}  // namespace howdah::archive
