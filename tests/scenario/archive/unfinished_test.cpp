// Segments pushed by hand before their server had finished them, and the dry runs that push and fetch nothing.
#include <nlohmann/json.hpp>

#include "archive/coverage.hpp"
#include "archive/push.hpp"
#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Unfinished : public test::ArchiveScenario {
protected:
    /// The segment that the server is writing, with something in it.
    static std::string current_segment(postgres::Session& session) {
        session.query("SELECT pg_logical_emit_message(true, 'test', repeat('x', 2000))");
        session.query("CHECKPOINT");
        return session.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    }
    /// Names of all objects, to see that nothing was written.
    std::vector<std::string> objects() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(work_ / "repository")) names.push_back(entry.path().string());
        std::sort(names.begin(), names.end());
        return names;
    }
    /// Archives the segment being written as another program might, past the refusal, and finishes it on the server.
    std::string poison() {
        postgres::Session asking = session();
        switch_segment(asking);
        const std::string name = current_segment(asking);
        const std::string bytes = base::read_file(pg_wal() / name);
        const auto open = repository();
        repository::SealContext context;
        WalArchive(open, area()).put_segment(name, base::as_bytes(bytes), context);
        give_repository();
        EXPECT_EQ(switch_segment(asking), name);
        return name;
    }
    void give_repository() const {
        for (const auto& entry : fs::recursive_directory_iterator(work_ / "repository")) give(entry.path());
    }
};
TEST_F(Unfinished, TheServersCurrentSegmentIsRefused) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    postgres::Session asking = session();
    switch_segment(asking);
    const std::string name = current_segment(asking);
    const auto before = objects();
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"wal", "push", "pg_wal/" + name},
                                                                                       {"wal", "push", "--unfinished", "pg_wal/" + name},
                                                                                       {"wal", "push", "--dry-run", "pg_wal/" + name},
                                                                                       {"wal", "push", (pg_wal() / name).string()}}) {
        const auto refused = howdah(words);
        EXPECT_EQ(refused.exit_code, 1);
        EXPECT_NE(refused.errors.find("is not finished"), std::string::npos) << refused.errors;
    }
    EXPECT_EQ(objects(), before);
}

TEST_F(Unfinished, TheLastSegmentOfALostServerIsStoredWhenAskedFor) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    postgres::Session asking = session();
    const std::string name = current_segment(asking);
    const fs::path lost = work_ / "lost";
    fs::create_directories(lost / "pg_wal" / "archive_status");
    fs::create_directories(lost / "global");
    fs::copy_file(pg_wal() / name, lost / "pg_wal" / name);
    fs::copy_file(data() / "global" / "pg_control", lost / "global" / "pg_control");
    for (const auto& entry : fs::recursive_directory_iterator(lost)) give(entry.path());
    give(lost);
    const auto refused = howdah({"wal", "push", (lost / "pg_wal" / name).string()});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.errors.find("--unfinished"), std::string::npos) << refused.errors;
    EXPECT_FALSE(archived(name));
    const auto stored = howdah({"wal", "push", "--unfinished", (lost / "pg_wal" / name).string()});
    EXPECT_EQ(stored.exit_code, 0) << stored.errors;
    EXPECT_TRUE(archived(name));
}

TEST_F(Unfinished, AnUnfinishedCopyIsReplacedByItsFinishedSegmentOnly) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const std::string name = poison();
    const auto refused = push(name);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.errors.find("howdah wal push --replace-unfinished pg_wal/" + name), std::string::npos) << refused.errors;

    const auto before = objects();
    const auto planned = howdah({"--output", "json", "--dry-run", "wal", "push", "--replace-unfinished", "pg_wal/" + name});
    ASSERT_EQ(planned.exit_code, 0) << planned.errors;
    EXPECT_EQ(json::parse(planned.output)["files"][0]["action"], "replace");
    EXPECT_EQ(objects(), before);

    // Killed between the removal and the put, it goes on where it was.
    const auto killed = howdah({"wal", "push", "--replace-unfinished", "pg_wal/" + name}, {{"HOWDAH_FAULT", "wal_push.after_remove"}});
    EXPECT_EQ(killed.exit_code, 128 + 9);
    const auto replaced = howdah({"wal", "push", "--replace-unfinished", "pg_wal/" + name});
    EXPECT_EQ(replaced.exit_code, 0) << replaced.errors;
    expect_archived(name);
    EXPECT_EQ(push(name).exit_code, 0) << "archive_command goes on";
}

TEST_F(Unfinished, NoCommandCallsAStuckArchiveProvenOrWhole) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    ASSERT_EQ(howdah({"wal", "setup", "--force"}).exit_code, 0);
    const auto taken = howdah({"backup", "run"});
    ASSERT_EQ(taken.exit_code, 0) << taken.errors;
    EXPECT_EQ(howdah({"backup", "status"}).exit_code, 0);
    const std::string name = poison();
    const auto later = switch_segments(2);
    // A push of a later segment runs ahead past the stuck one, as archive_command's own may have done.
    EXPECT_EQ(push(later.front()).exit_code, 0);
    for (const std::string& each : later) EXPECT_TRUE(archived(each));

    const auto proof = howdah({"wal", "setup", "--wait", "20s"});
    EXPECT_EQ(proof.exit_code, 1) << proof.output;
    EXPECT_NE(proof.errors.find(name), std::string::npos) << proof.errors;
    const auto status = howdah({"--output", "json", "backup", "status"});
    EXPECT_EQ(status.exit_code, 1);
    const auto said = json::parse(status.output);
    EXPECT_TRUE(said["wal"]["archiver_fails"]);
    EXPECT_GE(said["broken"].size(), 2u) << status.output;
    EXPECT_EQ(howdah({"wal", "status"}).exit_code, 1);
    const auto verified = howdah({"backup", "verify"});
    EXPECT_EQ(verified.exit_code, 1);
    EXPECT_NE(verified.output.find(name + " was archived unfinished"), std::string::npos) << verified.output;
    const auto restored = howdah({"restore", "--into", (work_ / "restored").string(), "--latest"});
    EXPECT_EQ(restored.exit_code, 1);
    EXPECT_NE(restored.errors.find(name + " was archived unfinished"), std::string::npos) << restored.errors;
    EXPECT_FALSE(fs::exists(work_ / "restored" / "PG_VERSION"));
    const auto checked = howdah({"check", "--no-switch"});
    EXPECT_NE(checked.output.find("wal_unfinished"), std::string::npos) << checked.output;
    EXPECT_EQ(howdah({"--dry-run", "restore", "--into", (work_ / "restored").string(), "--to-backup-end"}).exit_code, 0);

    // The documented way out.
    ASSERT_EQ(howdah({"wal", "push", "--replace-unfinished", "pg_wal/" + name}).exit_code, 0);
    postgres::Session(server_->conninfo()).query("SELECT pg_reload_conf()");
    const auto proven = howdah({"wal", "setup", "--wait", "90s"});
    EXPECT_EQ(proven.exit_code, 0) << proven.errors;
    const auto healthy = howdah({"backup", "status"});
    EXPECT_EQ(healthy.exit_code, 0) << healthy.output;
    EXPECT_EQ(howdah({"backup", "verify"}).exit_code, 0);
}

TEST_F(Unfinished, AnotherSegmentIsNeverReplaced) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    postgres::Session asking = session();
    const std::string name = switch_segment(asking);
    std::string bytes = base::read_file(pg_wal() / name);
    bytes[200] = static_cast<char>(bytes[200] ^ 1);  // Not the segment's own beginning.
    const auto open = repository();
    repository::SealContext context;
    WalArchive(open, area()).put_segment(name, base::as_bytes(bytes), context);
    give_repository();
    const auto refused = howdah({"wal", "push", "--replace-unfinished", "pg_wal/" + name});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.errors.find("differs"), std::string::npos) << refused.errors;
    const auto there = WalArchive(open, area()).get(name, context);
    ASSERT_TRUE(there);
    EXPECT_TRUE(base::as_text(*there) == bytes);
}

TEST_F(Unfinished, DryRunsOfPushAndFetchWriteNothing) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(3);
    const auto before = objects();
    const auto planned = howdah({"--dry-run", "--output", "json", "wal", "push", "pg_wal/" + names[0]});
    ASSERT_EQ(planned.exit_code, 0) << planned.errors;
    const auto document = json::parse(planned.output);
    EXPECT_TRUE(document["dry_run"]);
    ASSERT_GE(document["files"].size(), 3u);
    EXPECT_EQ(document["files"][0]["name"], names[0]);
    EXPECT_EQ(document["files"][0]["action"], "store");
    EXPECT_NE(howdah({"--dry-run", "wal", "push", "pg_wal/" + names[0]}).output.find(names[0]), std::string::npos);
    EXPECT_EQ(objects(), before);

    ASSERT_EQ(push(names[0]).exit_code, 0);
    EXPECT_EQ(json::parse(howdah({"--dry-run", "--output", "json", "wal", "push", "pg_wal/" + names[0]}).output)["files"][0]["action"],
              "already archived");
    for (int turn = 0; turn < 2; ++turn)
        EXPECT_EQ(json::parse(howdah({"--dry-run", "--output", "json", "wal", "push", "pg_wal/" + names[1]}).output)["files"][0]["action"],
                  "acknowledged")
            << "a dry run does not take it";

    const fs::path to = work_ / "fetched";
    const auto found = howdah({"--dry-run", "--output", "json", "wal", "fetch", names[0], to.string(), "--wait", "0"});
    EXPECT_EQ(found.exit_code, 0) << found.errors;
    EXPECT_TRUE(json::parse(found.output)["dry_run"]);
    EXPECT_EQ(howdah({"--dry-run", "wal", "fetch", "0000000100000000000000FF", to.string(), "--wait", "0"}).exit_code, 1);
    EXPECT_EQ(howdah({"--dry-run", "wal", "fetch", "nonsense", to.string(), "--wait", "0"}).exit_code, 126);
    EXPECT_FALSE(fs::exists(to));
    EXPECT_FALSE(fs::exists(work_ / "state" / "wal-look-ahead"));
}

}  // namespace
}  // namespace howdah::archive
