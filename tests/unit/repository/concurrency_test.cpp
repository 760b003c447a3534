#include <fmt/core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>

#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/event.hpp"
#include "repository/gc.hpp"
#include "repository/ledger.hpp"
#include "repository/verify.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

/// Verification beside everything that writes: nothing of what it meets half done is damage.
class ConcurrencyTest : public testing::Test {
protected:
    ConcurrencyTest() {
        for (unsigned segment = 1; segment <= 2; ++segment) write_segment(repository, segment);
    }
    void say(const std::string& type, const std::string& id) {
        Event event;
        event.type = type;
        event.backup_id = id;
        append_event(repository, place.area(), event);
    }
    std::string verify() {
        base::Progress progress("verifying", {}, false);
        std::string found;
        for (const Damage& damage : verify_objects(repository, {}, 2, progress, {})) found += damage.object + ": " + damage.what + "\n";
        return found;
    }
    /// Runs the work again and again in a thread of its own until the test has seen enough.
    void meanwhile(std::function<void(unsigned round)> work) {
        writers_.emplace_back([this, work = std::move(work)] {
            try {
                for (unsigned round = 0; !enough_; ++round) work(round);
            } catch (const base::Failure& failure) {
                ADD_FAILURE() << failure.text();
            }
        });
    }
    void stop() {
        enough_ = true;
        for (std::thread& writer : writers_) writer.join();
        writers_.clear();
    }
    ~ConcurrencyTest() override { stop(); }

    Place place{true};
    Repository repository = place.open();

private:
    std::atomic<bool> enough_{false};
    std::vector<std::thread> writers_;
};

TEST_F(ConcurrencyTest, VerifyAndCheckFindNothingBesideWriters) {
    std::atomic<unsigned> made{0};
    meanwhile([&](unsigned round) {
        write_backup(repository, fmt::format("backup-{:06}", round),
                     {{"x", fmt::format("{}", round)}, {"base/5/1", page_like(70'000, round)}}, {(1u << 20) + round});
        made = round + 1;
        if (round > 1) say("expire", fmt::format("backup-{:06}", round - 2));
    });
    meanwhile([&](unsigned) { collect_garbage(repository, {.grace = std::chrono::seconds(0)}, {}); });
    meanwhile([&](unsigned round) {
        // As several pushes side by side, of this host or another, end in any order.
        std::vector<unsigned> segments{3 + 3 * round, 4 + 3 * round, 5 + 3 * round};
        std::shuffle(segments.begin(), segments.end(), std::mt19937(round));
        for (const unsigned segment : segments) write_segment(repository, segment % 4096);
    });
    unsigned looks = 0;
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(2) || looks < 3 || made < 5) {
        ASSERT_EQ(verify(), "") << "at look " << looks;
        const CheckResult check = check_repository(repository, {});
        ASSERT_EQ(check.problems, std::vector<std::string>{}) << "at look " << looks;
        ++looks;
    }
    stop();
    RecordProperty("looks", static_cast<int>(looks));
    RecordProperty("backups", static_cast<int>(made));
    std::fprintf(stderr, "%u looks beside %u backups\n", looks, made.load());
    EXPECT_EQ(verify(), "");
}

TEST_F(ConcurrencyTest, WhatWritersLeaveForAMomentIsWaitedFor) {
    write_segment(repository, 5);
    // The event is there and its ledger entry is not: a writer between the two.
    Chain events(repository, Kind::event, place.area().event_prefix());
    events.append_anywhere([&](const std::optional<Link>&) {
        Event event;
        event.type = "annotate";
        return encode_event(event);
    });
    base::Progress progress("verifying", {}, false);
    EXPECT_EQ(verify_objects(repository, {}, 1, progress, {}, {}).size(), 2u) << "without time to settle both are findings";
    std::thread writer([&] {
        write_segment(repository, 3);
        write_segment(repository, 4);
        write_ledger(repository);
    });
    EXPECT_EQ(verify(), "");
    writer.join();
}

TEST_F(ConcurrencyTest, WhatIsOldIsNotWaitedFor) {
    write_segment(repository, 4);
    namespace fs = std::filesystem;
    fs::last_write_time(place.root() / place.area().wal(segment_name(4)), fs::file_time_type::clock::now() - std::chrono::hours(1));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_NE(verify().find(segment_name(3)), std::string::npos);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, kSettle / 2);
}

}  // namespace
}  // namespace howdah::repository::test
