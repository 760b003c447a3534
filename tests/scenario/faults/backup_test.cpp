// `backup run`, with one call of the store failing: what is listed restores to the server's own bytes, and the same command again makes a
// backup that does.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ground.hpp"
#include "sweep.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr unsigned kRunsInOnePlace = 8;  ///< Then a new repository: each backup and its WAL make listings longer.

class FaultyBackup : public testing::Test {
protected:
    FaultyBackup() : place_("backup") {}

    /// A repository whose newest backup is of the server as it is.
    void new_place() {
        place_.reset({});
        place_.plain({"repo", "init"});
        place_.plain({"backup", "run"});
        known_ = listed(place_);
        archived_to_ = json::parse(place_.plain({"--output", "json", "backup", "list"}))["backups"][0]["first_segment"];
        ASSERT_EQ(known_.size(), 1u);
        runs_ = 0;
    }

    void prepare() {
        if (runs_++ % kRunsInOnePlace == 0) new_place();
        change_rows();
        if (gap_) {
            const auto lost = switch_segment();
            fs::remove(shared_server().server().data_directory() / "pg_wal" / lost);
            change_rows();
        }
    }

    /// The WAL between the backups, as the server's archive_command keeps none.
    void archive() {
        for (const auto& name : complete_segments(archived_to_)) {
            place_.plain({"wal", "push", (shared_server().server().data_directory() / "pg_wal" / name).string()});
            archived_to_ = name;
        }
    }

    /// Each backup that was not there before restores to the server's files; how many there are.
    std::size_t new_ones() {
        std::size_t found = 0;
        for (const auto& id : listed(place_)) {
            if (std::ranges::find(known_, id) != known_.end()) continue;
            EXPECT_EQ(unlike_server(place_.restore(id)), "") << id;
            known_.push_back(id);
            ++found;
        }
        return found;
    }

    /// But for the gap there may be.
    void expect_whole() {
        if (gap_) return;
        archive();
        place_.plain({"backup", "verify"});
    }

    void judge(const Ended& run, const std::vector<std::string>& again) {
        const auto found = new_ones();
        EXPECT_LE(found, 1u);
        if (run.succeeded()) {
            EXPECT_EQ(found, 1u);
            expect_told(run.output);
            expect_whole();
            return;
        }
        const auto output = place_.plain(again);
        EXPECT_EQ(new_ones(), 1u);
        if (!gap_) {
            EXPECT_EQ(json::parse(output)["backup"]["type"], wanted_type_);
            EXPECT_EQ(json::parse(output)["backup"]["fallback"], json::array()) << output;
            expect_whole();
        }
    }

    void expect_told(const std::string& output) const {
        const auto document = json::parse(output);
        EXPECT_TRUE(document["ok"]) << output;
        EXPECT_EQ(document["backup"]["type"], wanted_type_) << output;
    }

    void sweep_backup(const std::string& operation, const std::vector<std::string>& more, unsigned points) {
        std::vector<std::string> words{"--output", "json", "backup", "run", "--jobs", "1"};
        words.insert(words.end(), more.begin(), more.end());
        wanted_type_ = more.empty() ? "full" : "incr";
        sweep({.operation = operation,
               .prepare = [&] { prepare(); },
               .run = [&](const Fault& fault) { return place_.run(words, fault); },
               .judge = [&](const Ended& run) { judge(run, words); },
               .points = points});
    }

    Place place_;
    std::vector<std::string> known_;
    std::string archived_to_;  ///< A segment.
    unsigned runs_ = 0;
    bool gap_ = false;
    std::string wanted_type_;
};

TEST_F(FaultyBackup, Full) { sweep_backup("backup run", {}, 14); }
TEST_F(FaultyBackup, Incremental) { sweep_backup("backup run --type incr", {"--type", "incr"}, 18); }
TEST_F(FaultyBackup, AuditedIncremental) { sweep_backup("backup run --type incr --audit 100", {"--type", "incr", "--audit", "100"}, 8); }
TEST_F(FaultyBackup, IncrementalThatComparesEverything) {
    gap_ = true;
    sweep_backup("backup run --type incr over a gap in the WAL", {"--type", "incr"}, 10);
}

}  // namespace
}  // namespace howdah::tests
