#include "repository/gc.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "repository/event.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/pack_generations.hpp"
#include "repository/verify.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;

class GcTest : public testing::Test {
protected:
    GcTest() {
        for (unsigned segment = 1; segment <= 4; ++segment) write_segment(repository, segment);
    }
    void say(const std::string& type, const std::string& id) {
        Event event;
        event.type = type;
        event.backup_id = id;
        append_event(repository, place.area(), event);
    }
    GcResult gc(std::chrono::seconds grace, bool dry_run = false) { return collect_garbage(repository, {grace, dry_run}, {}); }
    void expect_whole() {
        base::Progress progress("verifying", {}, false);
        for (const Damage& damage : verify_objects(repository, {}, 2, progress, {})) ADD_FAILURE() << damage.object << ": " << damage.what;
    }
    std::size_t objects() { return check_repository(repository, {}).objects; }

    Place place{true};
    Repository repository = place.open();
    static constexpr std::chrono::seconds kDay{24 * 3600};
};

TEST_F(GcTest, ListsFirstAndDeletesAfterTheGrace) {
    const Files kept = sample_files(2);
    write_backup(repository, "a", sample_files(1), {1u << 20});
    write_backup(repository, "b", kept, {2u << 20});
    EXPECT_EQ(gc(kDay).doomed, 0u);
    say("expire", "a");
    const GcResult first = gc(kDay);
    EXPECT_GT(first.doomed, 3u);
    EXPECT_EQ(first.deleted, 0u);
    EXPECT_EQ(read_doomed(repository).size(), first.doomed);
    EXPECT_EQ(gc(kDay).doomed, 0u);
    expect_whole();

    const GcResult dry = gc(std::chrono::seconds(0), true);
    EXPECT_EQ(dry.deleted, first.doomed);
    const GcResult second = gc(std::chrono::seconds(0));
    EXPECT_EQ(second.deleted, first.doomed);
    EXPECT_EQ(second.names, dry.names);
    EXPECT_GT(second.freed.count, 100'000u);
    EXPECT_TRUE(read_doomed(repository).empty());
    EXPECT_EQ(list_backups(repository, "", true).size(), 1u);
    EXPECT_EQ(read_backup(repository, find_backup(repository, "", "b")), kept);
    expect_whole();
    EXPECT_TRUE(check_repository(repository, {}).leftovers.empty());
}

TEST_F(GcTest, APinnedBackupStays) {
    write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
    say("expire", "a");
    say("pin", "a");
    EXPECT_EQ(gc(std::chrono::seconds(0)).deleted, 0u);
    say("unpin", "a");
    EXPECT_GT(gc(std::chrono::seconds(0)).deleted, 0u);
    expect_whole();
}

TEST_F(GcTest, ALiveBackupLosesNothing) {
    write_backup(repository, "a", {{"x", std::string(100, 'x')}}, {1u << 20});
    say("expire", "a");
    gc(kDay);
    Lease lease(repository, place.area().lease_prefix(), "backup run", {});
    PackWriter packs(repository, place.area(), 1);
    std::vector<Extent> extents;
    packs.add_small(base::as_bytes("bytes of a running backup"), extents);
    packs.finish();
    const GcResult during = gc(std::chrono::seconds(0));
    EXPECT_EQ(during.deleted, 0u);
    EXPECT_EQ(during.doomed, 0u) << "what is younger than the lease is not judged";
    lease.release();
    EXPECT_EQ(gc(std::chrono::seconds(0)).deleted, 5u) << "root, two trees, its pack and the other run's";
}

TEST_F(GcTest, WhatIsOnTheListIsNotReused) {
    const Files zeros{{"zeros", std::string(500'000, '\0')}};
    write_backup(repository, "a", zeros, {1u << 20});
    const std::string tree = find_backup(repository, "", "a").root.trees[0].name;
    write_backup(repository, "b", zeros, {2u << 20});
    EXPECT_EQ(find_backup(repository, "", "b").root.trees[0].name, tree) << "an equal tree is one object";
    say("expire", "a");
    say("expire", "b");
    gc(kDay);
    write_backup(repository, "c", zeros, {3u << 20});
    EXPECT_NE(find_backup(repository, "", "c").root.trees[0].name, tree);
    gc(std::chrono::seconds(0));
    EXPECT_EQ(read_backup(repository, find_backup(repository, "", "c")), zeros);
    expect_whole();
}

/// A backup that shares one small part of another's pack.
class CompactionTest : public GcTest {
protected:
    CompactionTest() {
        for (unsigned i = 0; i < 12; ++i) many[fmt::format("base/5/{}", 20000 + i)] = page_like(kFrameBytes, 50 + i);
        write_backup(repository, "a", many, {1u << 20});
        const Backup backup = find_backup(repository, "", "a");
        FileEntry shared = read_tree(repository, place.area(), backup.root.trees.at(1).name).entries.at(4);
        pack = shared.extents.at(0).pack;
        TreeWriter trees(repository, place.area());
        Root root = backup.root;
        root.id = "b";
        root.start = root.stop = {(1u << 20) + 1};
        root.trees = {{"base/5", trees.write(Tree{{shared}}), 1, {}}};
        publish_backup(repository, place.area(), root, [] {});
        write_ledger(repository);
        few["base/5/20004"] = many.at("base/5/20004");
    }
    Files content(const std::string& id) { return read_backup(repository, find_backup(repository, "", id)); }
    std::string generation(unsigned number) { return pack_object(place.area(), pack.text(), number); }
    bool there(unsigned number) { return repository.store().exists(generation(number)); }

    Files many, few;
    PackId pack;
};

TEST_F(CompactionTest, AHalfDeadPackIsWrittenAgainWithoutTheRest) {
    EXPECT_EQ(gc(std::chrono::seconds(0)).compacted, 0u);
    say("expire", "a");
    EXPECT_EQ(gc(kDay, true).compacted, 1u);
    EXPECT_FALSE(there(1));
    const auto before = repository.store().open(generation(0))->size();
    EXPECT_EQ(gc(kDay).compacted, 1u);
    EXPECT_TRUE(there(0) && there(1)) << "the old one stays for the grace period";
    const auto doomed = read_doomed(repository);
    EXPECT_TRUE(std::ranges::count(doomed, generation(0)));
    EXPECT_EQ(content("b"), few);
    expect_whole();
    EXPECT_EQ(gc(kDay).compacted, 0u) << "nothing is written twice";
    gc(std::chrono::seconds(0));
    EXPECT_FALSE(there(0));
    EXPECT_LT(repository.store().open(generation(1))->size() * 8, before);
    EXPECT_EQ(content("b"), few);
    expect_whole();
    EXPECT_TRUE(check_repository(repository, {}).leftovers.empty());
    EXPECT_EQ(gc(std::chrono::seconds(0)).compacted, 0u);
}

TEST_F(CompactionTest, APinBringsBackWhatTheNextGenerationLacks) {
    say("expire", "a");
    gc(kDay);
    say("pin", "a");
    gc(std::chrono::seconds(0));
    EXPECT_TRUE(there(0));
    EXPECT_FALSE(there(1));
    EXPECT_EQ(content("a"), many);
    EXPECT_EQ(content("b"), few);
    expect_whole();
}

TEST_F(CompactionTest, NothingIsWrittenBesideALiveBackup) {
    say("expire", "a");
    const Lease lease(repository, place.area().lease_prefix(), "backup run", {});
    EXPECT_EQ(gc(std::chrono::seconds(0)).compacted, 0u);
    EXPECT_FALSE(there(1));
}

TEST_F(CompactionTest, OfAPackOnTheListOnlyTheFramesThatStayAreShared) {
    const auto may = [&](std::uint32_t frame) {
        const auto listed = read_doomed(repository);
        FrameSet frames;
        add_frames(frames, {kFrameBytes, pack, frame, 0});
        return may_share(repository, place.area(), pack, frames, {listed.begin(), listed.end()});
    };
    EXPECT_TRUE(may(0));
    say("expire", "a");
    gc(kDay);
    EXPECT_TRUE(may(4)) << "what the next generation has";
    EXPECT_FALSE(may(0));
    gc(std::chrono::seconds(0));
    ASSERT_TRUE(there(1));
    say("expire", "b");
    gc(kDay);
    const auto doomed = read_doomed(repository);
    EXPECT_TRUE(std::ranges::count(doomed, generation(1)));
    EXPECT_TRUE(std::ranges::count(doomed, generation(0))) << "the name that manifests know";
    EXPECT_FALSE(may(4));
}

TEST_F(GcTest, AKilledBackupLeavesWhatCheckShowsAndGcFrees) {
    write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
    const std::size_t before = objects();
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv("HOWDAH_FAULT", "repository.before_root", 1);
        write_backup(repository, "b", sample_files(3), {2u << 20});
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(list_backups(repository).size(), 1u);
    const CheckResult check = check_repository(repository, {});
    EXPECT_TRUE(check.problems.empty());
    EXPECT_GT(check.leftovers.size(), 2u);
    EXPECT_GT(check.leftover_bytes.count, 0u);
    gc(std::chrono::seconds(0));
    const CheckResult after = check_repository(repository, {});
    EXPECT_TRUE(after.problems.empty());
    EXPECT_TRUE(after.leftovers.empty());
    EXPECT_LT(after.objects, before + 12);
    expect_whole();
}

TEST_F(GcTest, OnDamageNothingIsJudged) {
    write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
    write_backup(repository, "b", sample_files(1), {2u << 20});
    say("expire", "a");
    const std::string tree = place.area().tree(find_backup(repository, "", "b").root.trees[0].name);
    const std::string bytes = base::read_file(place.root() / tree);
    fs::remove(place.root() / tree);
    base::write_file_durably(place.root() / tree, bytes.substr(1));
    const std::size_t before = static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(place.root() / "cluster"), {}));
    EXPECT_THROW(gc(std::chrono::seconds(0)), base::Failure);
    std::size_t leases = 0;
    for (const auto& entry : fs::recursive_directory_iterator(place.root() / "cluster"))
        leases += entry.path().parent_path().filename() == "none";
    EXPECT_EQ(static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(place.root() / "cluster"), {})), before + leases);
}

/// As a writer leaves it between two writes where the file system has no files without a name.
TEST_F(GcTest, TemporaryFilesAreShownAtAnyAgeAndFreedAfterTheGrace) {
    const fs::path temporary = place.root() / ".tmp-0123456789abcdef";
    base::write_file_durably(temporary, "12345");
    const CheckResult young = check_repository(repository, {});
    ASSERT_EQ(young.leftovers.size(), 1u);
    EXPECT_NE(young.leftovers[0].find("may belong to a command that runs"), std::string::npos) << young.leftovers[0];
    EXPECT_EQ(young.leftover_bytes.count, 5u);
    EXPECT_TRUE(young.problems.empty());
    fs::last_write_time(temporary, fs::file_time_type::clock::now() - std::chrono::hours(2));
    const CheckResult old = check_repository(repository, {});
    ASSERT_EQ(old.leftovers.size(), 1u);
    EXPECT_EQ(old.leftovers[0].find("may belong"), std::string::npos) << old.leftovers[0];
    EXPECT_EQ(gc(std::chrono::hours(3)).leftovers.count, 0u);
    EXPECT_EQ(gc(std::chrono::hours(1), true).leftovers.count, 5u);
    EXPECT_TRUE(fs::exists(temporary));
    EXPECT_EQ(gc(std::chrono::hours(1)).leftovers.count, 5u);
    EXPECT_FALSE(fs::exists(temporary));
}

TEST_F(GcTest, AnyTemporaryFileGoesWithoutGraceUnlessABackupLives) {
    const fs::path temporary = place.root() / ".tmp-0123456789abcdef";
    base::write_file_durably(temporary, "12345");
    {
        const Lease lease(repository, place.area().lease_prefix(), "backup run", {});
        EXPECT_EQ(gc(std::chrono::seconds(0)).leftovers.count, 0u);
        EXPECT_TRUE(fs::exists(temporary));
    }
    EXPECT_EQ(gc(std::chrono::seconds(0)).leftovers.count, 5u);
    EXPECT_TRUE(check_repository(repository, {}).leftovers.empty());
}

}  // namespace
}  // namespace howdah::repository::test
