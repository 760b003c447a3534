#include "archive/coverage.hpp"
#include "archive/fetch.hpp"
#include "archive/file_pusher.hpp"
#include "archive/filler.hpp"
#include "archive/look_ahead.hpp"
#include "fixture.hpp"

// One test for each guard of the archive, named as the guard: it passes with the guard on and fails with it off.
namespace howdah::archive {
namespace {

namespace fs = std::filesystem;
using base::FailureKind;
using postgres::WalSegment;
using test::failure_of;
using test::kMiB;
using test::make_segment;

std::string name(std::uint64_t number, std::uint32_t timeline = 1) { return WalSegment{{timeline}, number}.name(kMiB); }

class Trap : public test::RepositoryTest {
protected:
    FetchOptions wanting(const std::string& segment) {
        FetchOptions options;
        options.cluster = "main";
        options.system = test::kSystem;
        options.name = segment;
        options.destination = folder_.path() / "RECOVERYXLOG";
        options.wait = base::Duration(0);
        options.ahead = 0;
        return options;
    }
};

TEST_F(Trap, T17_history_first) {
    const fs::path pg_wal = folder_.path() / "pg_wal";
    base::create_directories_durably(pg_wal);
    const WalSegment segment{{2}, 5};
    base::write_file_durably(pg_wal / segment.name(kMiB), base::as_text(make_segment(segment)));
    base::write_file_durably(pg_wal / "00000002.history", "1\t0/500000\tx\n");
    WalArchive wal = archive();
    PushWorker worker(1);
    FilePusher(pg_wal).push(segment.name(kMiB), worker, wal);
    EXPECT_TRUE(wal.has(segment.name(kMiB)));
    EXPECT_TRUE(wal.has("00000002.history"));
}

TEST_F(Trap, T17_reachable) {
    fill(1, 3, 5);
    fill(2, 5, 6);  // Its history was never archived.
    EXPECT_EQ(failure_of([&] { find_path(archive(), {1}, {3 * kMiB + 40}, {4 * kMiB}, std::nullopt, kMiB); }), FailureKind::operation);
}

/// The parent's copy of the segment in which timeline 2 began holds what timeline 2 never saw.
TEST_F(Trap, T17_switch_segment) {
    fill(1, 3, 5);
    archive().put_history("00000002.history", "1\t" + base::text(base::Lsn{5 * kMiB + 100}) + "\tno recovery target specified\n");
    EXPECT_TRUE(find_path(archive(), {1}, {3 * kMiB + 40}, {4 * kMiB}, std::nullopt, kMiB).first_missing);
}

/// The server was taken back and wrote other WAL under the same names: what the other repository has of that is not this one's.
TEST_F(Trap, T17_one_history) {
    base::RepositoryConfig second = config_;
    second.name = "second";
    second.url = "file://" + (folder_.path() / "second").string();
    second.key_file = folder_.path() / "second.key";
    repository::initialise(second, true);
    const auto other = repository::Repository::open(second);
    WalArchive wal = archive(), from(other, wal.area());
    fill(1, 5, 5);
    for (std::uint64_t number = 5; number <= 6; ++number)
        from.put_segment(name(number), make_segment({{1}, number}, kMiB, test::kSystem, 9), context_);
    PushWorker worker(1);
    EXPECT_EQ(failure_of([&] { Filler({&wal, &from}, {}, kMiB).fill(wal, name(6), worker); }), FailureKind::operation);
    EXPECT_FALSE(wal.has(name(6)));
}

TEST_F(Trap, T18_outage) {
    fill(1, 5, 5);
    fs::rename(repository_folder(), folder_.path() / "away");
    EXPECT_EQ(failure_of([&] { fetch({config_}, wanting(name(5)), {}); }), FailureKind::repository);
}

TEST_F(Trap, T18_absence) {
    fill(1, 5, 5);
    FetchOptions options = wanting(name(5));
    options.cluster = "another";
    EXPECT_EQ(failure_of([&] { fetch({config_}, options, {}); }), FailureKind::operation);
}

TEST_F(Trap, T18_look_ahead) {
    fill(1, 5, 6);
    FetchOptions options = wanting(name(6));
    options.look_ahead = folder_.path() / "look-ahead";
    const LookAhead folder(options.look_ahead, *repository_, repository::ClusterArea(options.cluster, test::kSystem));
    ASSERT_TRUE(folder.prepare());
    folder.set_position(name(5));
    EXPECT_EQ(fetch({config_}, options, {}), FetchOutcome::delivered);
}

TEST_F(Trap, T19_same_bytes) {
    fill(1, 5, 5);
    WalArchive wal = archive();
    EXPECT_EQ(failure_of([&] { wal.put_segment(name(5), make_segment({{1}, 5}, kMiB, test::kSystem, 9), context_); }),
              FailureKind::operation);
}

TEST_F(Trap, T19_segment_size) {
    WalArchive wal = archive();
    const auto cut = make_segment({{1}, 5}, 64 * kMiB);
    EXPECT_EQ(wal.put_segment(name(5), make_segment({{1}, 5}), context_), Stored::added);
    EXPECT_EQ(failure_of([&] { wal.put_segment(WalSegment{{1}, 5}.name(64 * kMiB), std::span(cut).first(16 * kMiB), context_); }),
              FailureKind::operation);
}

TEST_F(Trap, T19_system) {
    WalArchive wal = archive();
    EXPECT_EQ(failure_of([&] { wal.put_segment(name(5), make_segment({{1}, 5}, kMiB, test::kOther), context_); }),
              FailureKind::configuration);
}

TEST_F(Trap, T19_first_page) {
    WalArchive wal = archive();
    EXPECT_EQ(failure_of([&] { wal.put_segment(name(6), make_segment({{1}, 5}), context_); }), FailureKind::operation);
}

}  // namespace
}  // namespace howdah::archive
