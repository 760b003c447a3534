// `backup run` and `repo gc`, killed: nothing half-done is ever a backup, and what was left is seen and freed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "killing.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const std::vector<std::string> kRun{"backup", "run", "--jobs", "2"};
/// Passes every point of a backup, those of a full one too.
const std::vector<std::string> kIncremental{"backup", "run", "--type", "incr", "--jobs", "2"};

class KilledBackup : public testing::Test {
protected:
    KilledBackup() : protectee_(options()) {
        protectee_.session().script(
            "CREATE TABLE public.shop(id serial PRIMARY KEY, note text);"
            "INSERT INTO public.shop(note) SELECT repeat('row ' || g, 20) FROM generate_series(1, 5000) g");
    }

    static ProtectedServer::Options options() {
        ProtectedServer::Options options;
        options.scratch.wal_segment_mib = 1;
        return options;
    }

    /// Some change, so that each backup has WAL and pages of its own.
    void work() { protectee_.session().script("INSERT INTO public.shop(note) SELECT md5(g::text) FROM generate_series(1, 200) g"); }

    /// The ids listed, each of which must be a good one.
    Names listed() {
        Names ids;
        const auto list = protectee_.howdah_json({"backup", "list"});
        for (const auto& backup : list["backups"]) {
            EXPECT_EQ(backup["state"], "good") << backup.dump();
            ids.insert(backup["id"]);
        }
        return ids;
    }

    /// Everything that only a root makes part of a backup.
    Names parts() const {
        Names names;
        for (const auto& entry : fs::recursive_directory_iterator(protectee_.repository())) {
            const std::string name = entry.path().lexically_relative(protectee_.repository()).string();
            const bool part = name.find("/pack/") != name.npos || name.find("/tree/") != name.npos || name.find("/map/") != name.npos;
            if (part && entry.is_regular_file()) names.insert(name);
        }
        return names;
    }

    /// The objects that `repo check` shows as needed by nobody.
    Names leftovers() {
        Names names;
        const auto check = protectee_.howdah_json({"repo", "check"});
        EXPECT_TRUE(check["ok"]);
        for (const std::string line : check["leftovers"])
            if (const auto end = line.find(" is needed by no backup"); end != line.npos) names.insert(line.substr(0, end));
        return names;
    }

    /// What is listed is whole, although the run that published it died: nothing but its lease and what the ledger lacks may show.
    void expect_whole() {
        const auto verified = nlohmann::json::parse(protectee_.howdah({"--output", "json", "backup", "verify"}).output);
        const auto explained = [](const std::string& what) {
            return what.find("lease of a run that died") != what.npos || what.find("newer than the ledger") != what.npos;
        };
        for (const auto& damage : verified["damage"]) EXPECT_TRUE(explained(damage["what"])) << damage.dump();
        for (const auto& problem : verified["problems"]) EXPECT_TRUE(explained(problem)) << problem;
    }

    void begin() {
        backups_ = listed();
        parts_ = parts();
    }

    /// After a run that may have been killed: whole or absent, leftovers shown, a plain re-run right.
    void judge(const std::string& where) {
        SCOPED_TRACE(where);
        const Names now = listed();
        EXPECT_TRUE(std::ranges::includes(now, backups_)) << "a backup was lost";
        EXPECT_LE(now.size(), backups_.size() + 1);
        const Names there = parts();
        if (now.size() == backups_.size()) std::ranges::set_difference(there, parts_, std::inserter(unneeded_, unneeded_.end()));
        EXPECT_EQ(leftovers(), unneeded_);
        if (now.size() > backups_.size()) expect_whole();
        const auto again = protectee_.howdah(kRun);
        EXPECT_EQ(again.exit_code, 0) << again.errors;
        EXPECT_TRUE(protectee_.howdah_json({"backup", "verify"})["ok"]);
        begin();
        EXPECT_EQ(backups_.size(), now.size() + 1);
    }

    void free_leftovers() {
        protectee_.howdah_ok({"repo", "gc", "--grace", "0"});
        const auto check = protectee_.howdah_json({"repo", "check"});
        EXPECT_TRUE(check["ok"]);
        EXPECT_TRUE(check["leftovers"].empty()) << check["leftovers"].dump(1);
        Names kept;
        std::ranges::set_difference(parts_, unneeded_, std::inserter(kept, kept.end()));
        EXPECT_EQ(parts(), kept);
        EXPECT_EQ(listed(), backups_);
    }

    /// The newest backup and the WAL since it, brought back and compared.
    void prove() {
        EXPECT_TRUE(protectee_.howdah_json({"backup", "verify"})["ok"]);
        EXPECT_TRUE(protectee_.howdah_json({"journal", "verify"})["ok"]);
        work();
        const auto truth = dump(protectee_.server(), "postgres");
        protectee_.archive_everything();
        const auto into = protectee_.workspace() / "restored";
        protectee_.howdah_ok({"restore", "--into", into.string()});
        auto server = protectee_.start_restored(into);
        EXPECT_EQ(dump(server, "postgres"), truth);
        EXPECT_EQ(check_restored(server), "");
    }

    ProtectedServer protectee_;
    Names backups_, parts_, unneeded_;
};

TEST_F(KilledBackup, AtEveryFaultPointLeavesNothingHalfDone) {
    const auto points = fault_points({"backup.", "repository."});
    ASSERT_GE(points.size(), 12u);
    print_points("backup run", points);
    protectee_.howdah_ok(kRun);
    begin();
    for (const auto& point : points) {
        work();
        EXPECT_TRUE(killed_at(protectee_, point, kIncremental)) << "never reached: " << point;
        judge(point);
        if (HasFailure()) return;
    }
    EXPECT_FALSE(unneeded_.empty());

    const auto garbage = garbage_fault_points();
    ASSERT_GE(garbage.size(), 2u);
    print_points("repo gc", garbage);
    for (const auto& point : garbage) {
        EXPECT_TRUE(killed_at(protectee_, point, {"repo", "gc", "--grace", "0"})) << "never reached: " << point;
        EXPECT_EQ(listed(), backups_) << point;
        EXPECT_TRUE(protectee_.howdah_json({"repo", "check"})["ok"]) << point;
    }
    free_leftovers();
    prove();
}

TEST_F(KilledBackup, AtMomentsOfARunLeavesNothingHalfDone) {
    begin();
    unsigned run = 0;
    const auto prepare = [&] {
        work();
        return run++ % 2 == 0 ? kRun : kIncremental;
    };
    kill_at_moments(protectee_,
                    {.operation = "backup run", .prepare = prepare, .judge = [this](const std::string& where) { judge(where); }});
    free_leftovers();
    prove();
}

}  // namespace
}  // namespace howdah::tests
