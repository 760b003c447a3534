// `restore --delta`, killed over an earlier copy: no half copy can be started, and the same command again ends it.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "killing.hpp"
#include "support/trees.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

class KilledDelta : public testing::Test {
protected:
    KilledDelta() {
        protectee_.session().script(
            "CREATE TABLE shop(id serial PRIMARY KEY, note text);"
            "INSERT INTO shop(note) SELECT repeat('row ' || g, 20) FROM generate_series(1, 5000) g");
        const std::string first = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
        protectee_.session().script("UPDATE shop SET note = 'new' WHERE id % 50 = 0; CHECKPOINT");
        protectee_.howdah_ok({"backup", "run"});
        truth_ = dump(protectee_.server(), "postgres");
        protectee_.howdah_ok({"restore", "--into", earlier().string(), "--to-backup-end", "--backup", first});
        // A stopped server's directory: it has no backup_label any more.
        protectee_.start_restored(earlier()).stop();
        protectee_.howdah_ok(words());
        whole_ = tree_of(into());
    }

    fs::path earlier() const { return protectee_.workspace() / "earlier"; }
    fs::path into() const { return protectee_.workspace() / "restored"; }
    std::vector<std::string> words() const { return {"restore", "--into", into().string(), "--to-backup-end", "--delta"}; }

    void prepare() const {
        fs::remove_all(into());
        base::run_process_checked("cp", {"cp", "-a", earlier().string(), into().string()}, {});
    }

    void judge(const std::string& where) {
        SCOPED_TRACE(where);
        const auto again = protectee_.howdah(words());
        EXPECT_EQ(again.exit_code, 0) << again.errors;
        EXPECT_EQ(difference(whole_, tree_of(into())), "");
    }

    void expect_right() {
        auto server = protectee_.start_restored(into());
        EXPECT_EQ(dump(server, "postgres"), truth_);
        EXPECT_EQ(check_restored(server), "");
    }

    ProtectedServer protectee_;
    std::string truth_;
    Tree whole_;
};

TEST_F(KilledDelta, AtEveryFaultPointIsRightTheNextTime) {
    unsigned reached = 0;
    for (const auto& point : fault_points({"restore."})) {
        if (point == "restore.started") continue;
        prepare();
        if (!killed_at(protectee_, point, words())) continue;
        ++reached;
        const bool control = fs::exists(into() / "global" / "pg_control");
        const bool before = point == "restore.mark_begun" || point == "restore.marked" || point == "restore.prepared";
        const bool after = point == "restore.control_written" || point == "restore.unmarked";
        EXPECT_EQ(control, before || after) << point << ": pg_control goes first and comes last";
        judge(point);
        if (HasFailure()) return;
    }
    EXPECT_GE(reached, 10u);
    expect_right();
}

/// Another backup was taken since: --delta goes on to that one over the half restore of the first.
TEST_F(KilledDelta, AHalfRestoreOfAnotherBackupIsGoneOnWith) {
    prepare();
    ASSERT_TRUE(killed_at(protectee_, "restore.scattered", words()));
    protectee_.session().query("UPDATE shop SET note = 'newest' WHERE id = 1");
    protectee_.howdah_ok({"backup", "run"});
    truth_ = dump(protectee_.server(), "postgres");
    const auto plain = protectee_.howdah({"restore", "--into", into().string(), "--to-backup-end"});
    EXPECT_EQ(plain.exit_code, 1) << "only --delta goes on to another backup";
    protectee_.howdah_ok(words());
    expect_right();
}

}  // namespace
}  // namespace howdah::tests
