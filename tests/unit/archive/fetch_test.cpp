#include "archive/fetch.hpp"

#include <sys/file.h>

#include <future>
#include <thread>

#include "archive/look_ahead.hpp"
#include "archive/prefetch.hpp"
#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;
using base::FailureKind;
using postgres::WalSegment;
using test::failure_of;
using test::kMiB;
using test::make_segment;

std::string name(std::uint64_t number, std::uint32_t timeline = 1) { return WalSegment{{timeline}, number}.name(kMiB); }

class FetchTest : public test::RepositoryTest {
protected:
    FetchTest() {
        options_.cluster = "main";
        options_.system = test::kSystem;
        options_.destination = folder_.path() / "data" / "pg_wal" / "RECOVERYXLOG";
        options_.wait = base::Duration(0);
        fs::create_directories(options_.destination.parent_path());
    }
    FetchOutcome get(const std::string& wanted) {
        options_.name = wanted;
        return fetch({config_}, options_, {});
    }
    std::string delivered() const { return base::read_file(options_.destination); }
    static std::string text(const std::vector<std::byte>& bytes) { return std::string(base::as_text(bytes)); }
    LookAhead look_ahead() { return LookAhead(options_.look_ahead, *repository_, repository::ClusterArea("main", test::kSystem)); }

    FetchOptions options_;
};

TEST_F(FetchTest, DeliversSegmentsAndHistories) {
    fill(1, 5, 5);
    archive().put_history("00000002.history", "1\t0/500000\tx\n");
    EXPECT_EQ(get(name(5)), FetchOutcome::delivered);
    EXPECT_EQ(delivered(), text(make_segment({{1}, 5})));
    EXPECT_EQ(get("00000002.history"), FetchOutcome::delivered);
    EXPECT_EQ(delivered(), "1\t0/500000\tx\n");
    EXPECT_FALSE(fs::exists(beside(options_.destination)));
}

TEST_F(FetchTest, AbsentOnlyWhenProven) {
    fill(1, 5, 5);
    EXPECT_EQ(get(name(6)), FetchOutcome::absent);
    EXPECT_EQ(get("00000002.history"), FetchOutcome::absent);
    EXPECT_FALSE(fs::exists(options_.destination));
}

TEST_F(FetchTest, AWrongClusterIsNoEndOfWal) {
    fill(1, 5, 5);
    options_.cluster = "mian";
    EXPECT_EQ(failure_of([&] { get(name(6)); }), FailureKind::operation);
    options_.cluster = "main";
    options_.system = test::kOther;
    EXPECT_EQ(failure_of([&] { get(name(5)); }), FailureKind::operation);
}

TEST_F(FetchTest, OutagesAreNeverAbsence) {
    fill(1, 5, 5);
    const fs::path away = folder_.path() / "away";
    fs::rename(repository_folder(), away);
    EXPECT_EQ(failure_of([&] { get(name(6)); }), FailureKind::repository);
    fs::create_directory(repository_folder());  // The mount point without its file system.
    EXPECT_EQ(failure_of([&] { get(name(6)); }), FailureKind::repository);
    fs::remove(repository_folder());
    fs::rename(away, repository_folder());
    fs::rename(config_.key_file, folder_.path() / "key.away");
    EXPECT_EQ(failure_of([&] { get(name(6)); }), FailureKind::configuration);
}

TEST_F(FetchTest, WrongUseAndEveryFailureGive126) {
    EXPECT_EQ(failure_of([&] { get("nonsense"); }), FailureKind::usage);
    for (const auto kind : {FailureKind::operation, FailureKind::usage, FailureKind::configuration, FailureKind::server,
                            FailureKind::repository, FailureKind::locked}) {
        EXPECT_EQ(fetch_exit_code(base::Failure(kind, "x")), 126);
        EXPECT_GE(push_exit_code(base::Failure(kind, "x")), 1);
        EXPECT_LE(push_exit_code(base::Failure(kind, "x")), 125);
    }
    EXPECT_EQ(fetch_exit_code(FetchOutcome::delivered), 0);
    EXPECT_EQ(fetch_exit_code(FetchOutcome::absent), 1);
}

TEST_F(FetchTest, AnOutageIsRetriedUntilItEnds) {
    fill(1, 5, 5);
    const fs::path away = folder_.path() / "away";
    fs::rename(repository_folder(), away);
    options_.wait = std::chrono::minutes(1);
    std::jthread healer([&] {
        base::Cancellation().sleep(std::chrono::milliseconds(150));
        fs::rename(away, repository_folder());
    });
    EXPECT_EQ(get(name(5)), FetchOutcome::delivered);
}

TEST_F(FetchTest, StandbyAnswersNotNowOnlyBesideItsSignal) {
    fill(1, 5, 5);
    fs::rename(repository_folder(), folder_.path() / "away");
    options_.standby = true;
    EXPECT_EQ(failure_of([&] { get(name(5)); }), FailureKind::repository);
    base::write_file_durably(folder_.path() / "data" / "standby.signal", "");
    EXPECT_EQ(get(name(5)), FetchOutcome::absent);
}

TEST_F(FetchTest, ADamagedSegmentIsNeitherDeliveredNorAbsent) {
    fill(1, 5, 5);
    const auto path = repository_folder() / archive().area().wal(name(5));
    fs::permissions(path, fs::perms::owner_all);
    fs::resize_file(path, fs::file_size(path) - 1);
    EXPECT_EQ(failure_of([&] { get(name(5)); }), FailureKind::operation);
    EXPECT_FALSE(fs::exists(options_.destination));
}

/// Hands bytes over as an archive does: in pieces.
auto in_pieces(std::span<const std::byte> bytes) {
    return [bytes](const auto& visit) {
        constexpr std::size_t kPiece = 100'000;
        for (std::size_t at = 0; at < bytes.size(); at += kPiece) visit(bytes.subspan(at, std::min(kPiece, bytes.size() - at)));
        return true;
    };
}

class LookAheadTest : public FetchTest {
protected:
    LookAheadTest() {
        options_.look_ahead = folder_.path() / "look-ahead";
        options_.ahead = 0;  // No process of its own unless a test says so.
    }
    void plant(const std::string& as, const std::vector<std::byte>& bytes) {
        ASSERT_TRUE(look_ahead().prepare());
        ASSERT_TRUE(look_ahead().put(as, in_pieces(bytes)));
    }
};

TEST_F(LookAheadTest, OneThatIsBeingFetchedIsAwaited) {
    const auto bytes = make_segment({{1}, 6});
    fill(1, 5, 5);
    ASSERT_TRUE(look_ahead().prepare());
    std::promise<void> begun, asked;
    std::jthread prefetcher([&, lock = look_ahead().lock()] {
        look_ahead().put(name(6), [&](const auto& visit) {
            begun.set_value();
            asked.get_future().wait();
            return in_pieces(bytes)(visit);
        });
    });
    begun.get_future().wait();
    EXPECT_TRUE(look_ahead().locked());
    asked.set_value();
    EXPECT_EQ(get(name(6)), FetchOutcome::delivered);  // Nowhere else.
    prefetcher.join();
    EXPECT_FALSE(look_ahead().locked());
}

TEST_F(LookAheadTest, WhatADeadPrefetcherLeftIsNotAwaited) {
    fill(1, 5, 6);
    ASSERT_TRUE(look_ahead().prepare());
    base::write_file_durably(look_ahead().folder() / (name(6) + ".part"), "half");
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(get(name(6)), FetchOutcome::delivered);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
}

TEST_F(LookAheadTest, WhatIsNotArchivedLeavesNothing) {
    ASSERT_TRUE(look_ahead().prepare());
    EXPECT_FALSE(look_ahead().put(name(6), [](const auto&) { return false; }));
    EXPECT_TRUE(fs::is_empty(look_ahead().folder()));
}

TEST_F(LookAheadTest, AHitIsMovedInPlace) {
    const auto bytes = make_segment({{1}, 6});
    fill(1, 5, 5);
    plant(name(6), bytes);  // Only there: delivered from nowhere else.
    EXPECT_EQ(get(name(6)), FetchOutcome::delivered);
    EXPECT_EQ(delivered(), text(bytes));
    EXPECT_FALSE(look_ahead().holds(name(6)));
}

TEST_F(LookAheadTest, AMissDecidesNothing) {
    fill(1, 5, 7);
    plant(name(6), make_segment({{1}, 6}));
    look_ahead().set_position(name(5));
    EXPECT_EQ(get(name(7)), FetchOutcome::delivered);
    EXPECT_EQ(get(name(8)), FetchOutcome::absent);
}

TEST_F(LookAheadTest, GarbageIsRemovedAndFetchedAnew) {
    fill(1, 5, 7);
    const auto right = make_segment({{1}, 6});
    plant(name(6), right);
    const fs::path file = look_ahead().folder() / name(6);
    {
        const base::File open = base::File::open(file, O_RDWR);
        const std::byte wrong{0x55};
        open.write_at({&wrong, 1}, 500'000);
    }
    EXPECT_EQ(get(name(6)), FetchOutcome::delivered);
    EXPECT_EQ(delivered(), text(right));
    for (const std::string garbage : {"", "short", "HOWDAHLA00000000"}) {
        base::write_file_durably(file, garbage);
        EXPECT_EQ(get(name(6)), FetchOutcome::delivered);
        EXPECT_EQ(delivered(), text(right));
    }
}

TEST_F(LookAheadTest, AFileUnderTheWrongNameIsNotDelivered) {
    fill(1, 5, 7);
    plant(name(6), make_segment({{1}, 7}));
    EXPECT_EQ(get(name(6)), FetchOutcome::delivered);
    EXPECT_EQ(delivered(), text(make_segment({{1}, 6})));
    plant(name(6), make_segment({{1}, 6}, kMiB, test::kOther));
    EXPECT_EQ(get(name(6)), FetchOutcome::delivered);
    EXPECT_EQ(delivered(), text(make_segment({{1}, 6})));
}

TEST_F(LookAheadTest, AFolderOpenToOthersIsNotUsed) {
    fill(1, 5, 5);
    plant(name(6), make_segment({{1}, 6}));
    fs::permissions(look_ahead().folder(), fs::perms::all);
    EXPECT_EQ(get(name(6)), FetchOutcome::absent);
}

TEST_F(LookAheadTest, PrefetchStopsAtTheFirstAbsentAndRemovesWhatIsPassed) {
    fill(1, 5, 8);
    fill(1, 10, 10);
    options_.ahead = 8;
    plant(name(3), make_segment({{1}, 3}));
    const fs::path boot = options_.look_ahead / (repository_->id() + "-" + std::to_string(test::kSystem.value) + "-main+another-boot");
    fs::create_directories(boot);
    look_ahead().set_position(name(5));
    prefetch(config_, options_, kMiB);
    for (std::uint64_t number : {6, 7, 8}) EXPECT_TRUE(look_ahead().holds(name(number))) << number;
    for (std::uint64_t number : {3, 9}) EXPECT_FALSE(look_ahead().holds(name(number))) << number;
    EXPECT_FALSE(fs::exists(boot));
}

TEST_F(LookAheadTest, TwoNamesOfOneSystemShareNothing) {
    plant(name(6), make_segment({{1}, 6}));
    const LookAhead other(options_.look_ahead, *repository_, repository::ClusterArea("mai", test::kSystem));
    ASSERT_TRUE(other.prepare());
    EXPECT_FALSE(other.holds(name(6)));
    other.clean({{1}, 7}, kMiB);
    EXPECT_TRUE(look_ahead().holds(name(6)));
}

TEST_F(LookAheadTest, PrefetchIsBounded) {
    fill(1, 5, 12);
    options_.ahead = 2;
    ASSERT_TRUE(look_ahead().prepare());
    look_ahead().set_position(name(5));
    prefetch(config_, options_, kMiB);
    EXPECT_TRUE(look_ahead().holds(name(6)));
    EXPECT_TRUE(look_ahead().holds(name(7)));
    EXPECT_FALSE(look_ahead().holds(name(8)));
}

TEST_F(LookAheadTest, AFetchStartsIt) {
    fill(1, 5, 8);
    options_.ahead = 3;
    ASSERT_EQ(get(name(5)), FetchOutcome::delivered);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!look_ahead().holds(name(8)) && std::chrono::steady_clock::now() < deadline)
        base::Cancellation().sleep(std::chrono::milliseconds(5));
    EXPECT_TRUE(look_ahead().holds(name(8)));
    const base::File lock = base::File::open(look_ahead().folder() / "lock", O_RDWR);
    EXPECT_EQ(::flock(lock.descriptor(), LOCK_EX), 0);  // Ended: the folder may go.
}

}  // namespace
}  // namespace howdah::archive
