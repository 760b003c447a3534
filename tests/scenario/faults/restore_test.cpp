// `restore`, with one call of the store failing: no half of a directory can be started, and the same command again ends it.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "ground.hpp"
#include "sweep.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "howdah-unfinished-restore";
constexpr const char* kControl = "global/pg_control";

class FaultyRestore : public testing::Test {
protected:
    FaultyRestore() : place_("restore") {
        place_.reset();
        const auto ids = listed(place_);
        first_ = ids.at(0);
        second_ = ids.at(1);
        whole_ = place_.restore(second_);
    }

    std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words{"restore", "--into", place_.restored().string(), "--backup", second_, "--to-backup-end",
                                       "--jobs",  "1"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    /// A copy of a folder, with owners and modes, where the restore goes.
    void put(const fs::path& folder) const {
        fs::remove_all(place_.restored());
        base::run_process_checked("cp", {"cp", "-a", folder.string(), place_.restored().string()});
    }

    /// The first backup, as the directory of a server that recovered and was stopped.
    fs::path earlier_copy() const {
        place_.restore(first_);
        shared_server().start_restored(place_.restored()).stop();
        return set_aside("earlier");
    }

    /// What a restore left that was killed at the fault point.
    fs::path killed_at(const std::string& point, const std::vector<std::string>& command) const {
        const auto killed = place_.run(command, {}, {{"HOWDAH_FAULT", point}});
        EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << killed.errors;
        return set_aside("killed");
    }

    fs::path set_aside(const char* name) const {
        const auto aside = place_.folder() / name;
        fs::rename(place_.restored(), aside);
        return aside;
    }

    /// `before` is what was there before the run, and what may still be there of it.
    void judge(const Ended& run, const Tree& before, const std::vector<std::string>& again) {
        auto now = fs::exists(place_.restored()) ? tree_of(place_.restored()) : Tree{};
        if (run.succeeded()) {
            EXPECT_EQ(difference(whole_, now), "");
            return;
        }
        if (now.contains(kControl)) {
            now.erase(kMark);
            EXPECT_EQ(difference(before, now), "") << "pg_control is there, and the rest is not what it was";
        }
        place_.plain(again);
        EXPECT_EQ(difference(whole_, tree_of(place_.restored())), "");
    }

    void sweep_over(const std::string& operation, const fs::path& folder, const std::vector<std::string>& command) {
        const Tree before = folder.empty() ? Tree{} : tree_of(folder);
        sweep({.operation = operation,
               .prepare = [&] { folder.empty() ? static_cast<void>(fs::remove_all(place_.restored())) : put(folder); },
               .run = [&](const Fault& fault) { return place_.run(command, fault); },
               .judge = [&](const Ended& run) { judge(run, before, command); }});
    }

    Place place_;
    std::string first_, second_;
    Tree whole_;
};

TEST_F(FaultyRestore, IntoANewFolder) { sweep_over("restore into a new folder", {}, words()); }

TEST_F(FaultyRestore, OverAnEarlierCopy) { sweep_over("restore --delta", earlier_copy(), words({"--delta"})); }

TEST_F(FaultyRestore, GoingOnWithAnInterruptedOne) {
    fs::remove_all(place_.restored());
    sweep_over("restore, resumed", killed_at("restore.scattered", words()), words());
}

TEST_F(FaultyRestore, ToTheEndOfTheArchive) {
    const std::vector<std::string> latest{"restore", "--into", place_.restored().string(), "--latest", "--jobs", "2"};
    fs::remove_all(place_.restored());
    place_.plain(latest);
    whole_ = tree_of(place_.restored());
    sweep_over("restore --latest", {}, latest);
}

/// What is left of a failed restore is no data directory to any server.
TEST_F(FaultyRestore, LeavesNothingThatStarts) {
    fs::remove_all(place_.restored());
    const auto whole = place_.run(words());
    fs::remove_all(place_.restored());
    const auto failed = place_.run(words(), {whole.calls.size(), Shape::error});
    ASSERT_NE(failed.exit_code, 0);
    ASSERT_TRUE(fs::exists(place_.restored()));
    EXPECT_THROW(shared_server().start_restored(place_.restored()), base::Failure);
}

}  // namespace
}  // namespace howdah::tests
