// A full backup and its restore, end to end: what people rely on first.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

void fill(ProtectedServer& protectee) {
    auto session = protectee.session();
    session.script(
        "CREATE TABLE shop(id int PRIMARY KEY, note text);"
        "INSERT INTO shop SELECT g, repeat('row ' || g, 20) FROM generate_series(1, 20000) g;"
        "CREATE UNLOGGED TABLE scratchpad AS SELECT g FROM generate_series(1, 1000) g;"
        "CREATE TABLE \"odd \"\"name'\"(a int); INSERT INTO \"odd \"\"name'\" VALUES (1);");
}

TEST(FullBackup, RestoresToTheMomentAskedForWithEqualDump) {
    ProtectedServer protectee;
    fill(protectee);
    const auto backup = protectee.howdah_json({"backup", "run"});
    EXPECT_TRUE(backup["ok"]);
    EXPECT_EQ(backup["backup"]["bad_pages"], 0);

    auto session = protectee.session();
    session.script("INSERT INTO shop SELECT g, 'after' FROM generate_series(20001, 20100) g; TRUNCATE scratchpad");
    const auto truth = dump(protectee.server(), "postgres");
    const auto target = session.value("SELECT clock_timestamp()::text");
    session.script("DELETE FROM shop; DROP TABLE \"odd \"\"name'\"");
    protectee.archive_everything();

    const auto into = protectee.workspace() / "restored";
    const auto restored = protectee.howdah_json({"restore", "--into", into.string(), "--to-time", target});
    EXPECT_EQ(restored["plan"]["backup"], backup["backup"]["id"]);
    auto server = protectee.start_restored(into);
    EXPECT_EQ(dump(server, "postgres"), truth);
    EXPECT_EQ(check_restored(server), "");
}

TEST(FullBackup, IsListedShownVerifiedAndCountedInTheStatus) {
    ProtectedServer protectee;
    fill(protectee);
    EXPECT_EQ(protectee.howdah({"backup", "status"}).exit_code, 1) << "there is no backup yet";
    const std::string id = protectee.howdah_json({"backup", "run"})["backup"]["id"];
    const auto list = protectee.howdah_json({"backup", "list"});
    ASSERT_EQ(list["backups"].size(), 1u);
    EXPECT_EQ(list["backups"][0]["id"], id);
    EXPECT_EQ(list["backups"][0]["state"], "good");
    EXPECT_EQ(protectee.howdah_json({"backup", "show", id.substr(0, 12)})["backup"]["id"], id);
    EXPECT_TRUE(protectee.howdah_json({"backup", "verify"})["ok"]);
    EXPECT_TRUE(protectee.howdah_json({"repo", "check"})["ok"]);
    EXPECT_TRUE(protectee.howdah_json({"backup", "status"})["ok"]);
    const auto journal = protectee.howdah_json({"journal", "list"});
    EXPECT_TRUE(protectee.howdah_json({"journal", "verify"})["ok"]);
    bool found = false;
    for (const auto& entry : journal["entries"]) found = found || (entry["operation"] == "backup run" && entry["outcome"] == "done");
    EXPECT_TRUE(found);
}

TEST(FullBackup, WithoutEncryptionRestoresTheLatest) {
    ProtectedServer::Options options;
    options.encrypted = false;
    options.scratch.wal_segment_mib = 1;
    ProtectedServer protectee(options);
    fill(protectee);
    protectee.howdah_ok({"backup", "run"});
    protectee.session().script("INSERT INTO shop SELECT g, 'after' FROM generate_series(20001, 30000) g");
    protectee.archive_everything();
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--latest"});
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM shop"), "30000");
    EXPECT_EQ(check_restored(server), "");
}

TEST(FullBackup, BringsTablespacesBackWhereTheyAreMapped) {
    ProtectedServer protectee;
    const auto place = protectee.workspace() / "space one";
    fs::create_directory(place);
    base::ProcessOptions as_root;
    base::run_process_checked("chown", {"chown", protectee.server().user().name, place.string()}, as_root);
    auto session = protectee.session();
    session.query("CREATE TABLESPACE one LOCATION " + session.quote_literal(place.string()));
    session.script("CREATE TABLE far(id int) TABLESPACE one; INSERT INTO far SELECT generate_series(1, 5000)");
    protectee.howdah_ok({"backup", "run"});
    protectee.archive_everything();

    const auto refused = protectee.howdah({"restore", "--into", (protectee.workspace() / "a").string()});
    EXPECT_EQ(refused.exit_code, 1) << "the live tablespace is not empty";
    EXPECT_NE(refused.errors.find("not empty"), std::string::npos) << refused.errors;
    EXPECT_FALSE(fs::exists(protectee.workspace() / "a"));

    const auto moved = protectee.workspace() / "moved";
    const auto into = protectee.workspace() / "b";
    protectee.howdah_ok({"restore", "--into", into.string(), "--tablespace", "one=" + moved.string()});
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM far"), "5000");
    EXPECT_EQ(open_session(server).value("SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'one'"), moved.string());
    EXPECT_EQ(check_restored(server), "");
}

TEST(FullBackup, ASecondOneAtTheSameTimeIsRefused) {
    ProtectedServer protectee;
    fill(protectee);
    const auto pause = protectee.workspace() / "paused";
    base::ProcessResult first;
    std::jthread running(
        [&] { first = protectee.howdah({"backup", "run"}, {{"HOWDAH_TEST_PAUSE", "backup.lease_taken:" + pause.string()}}); });
    while (!fs::exists(pause)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const auto second = protectee.howdah({"backup", "run"});
    EXPECT_EQ(second.exit_code, 6) << second.errors;
    EXPECT_NE(second.errors.find("HINT"), std::string::npos);
    fs::remove(pause);
    running.join();
    EXPECT_EQ(first.exit_code, 0) << first.errors;
    EXPECT_EQ(protectee.howdah_json({"backup", "list"})["backups"].size(), 1u);
}

}  // namespace
}  // namespace howdah::tests
