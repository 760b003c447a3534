// Incremental backups: what they read, what they store, and that what they restore is what a full backup would.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "base/file.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json take_incremental(ProtectedServer& protectee) {
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"});
    EXPECT_EQ(taken["backup"]["type"], "incr") << taken.dump(1);
    EXPECT_EQ(taken["backup"]["fallback"], json::array()) << taken.dump(1);
    return taken["backup"];
}

/// Restores the newest backup to its end, and compares every database's dump and every page.
void expect_restored(ProtectedServer& protectee, const std::vector<std::string>& databases, const std::string& backup = {}) {
    std::vector<std::string> truth;
    for (const auto& database : databases) truth.push_back(dump(protectee.server(), database));
    const auto into = protectee.workspace() / ("restored-" + std::to_string(std::rand()));
    std::vector<std::string> words{"restore", "--into", into.string(), "--to-backup-end"};
    if (!backup.empty()) words.insert(words.end(), {"--backup", backup});
    protectee.howdah_ok(words);
    {
        auto server = protectee.start_restored(into);
        for (std::size_t i = 0; i < databases.size(); ++i) EXPECT_EQ(dump(server, databases[i]), truth[i]) << databases[i];
        EXPECT_EQ(check_restored(server), "");
    }
    fs::remove_all(into);
}

void fill(ProtectedServer& protectee) {
    protectee.session().script(
        "CREATE TABLE shop(id int PRIMARY KEY, note text);"
        "INSERT INTO shop SELECT g, repeat('row ' || g, 20) FROM generate_series(1, 60000) g;");
    protectee.session().script("VACUUM ANALYZE shop");
}

TEST(Incremental, ReadsWhatChangedAndRestoresTheWhole) {
    ProtectedServer protectee;
    fill(protectee);
    const std::string full = protectee.howdah_json({"backup", "run"})["backup"]["id"];
    protectee.session().script("UPDATE shop SET note = 'changed ' || id WHERE id % 6000 = 1");
    const auto first = take_incremental(protectee);
    EXPECT_EQ(first["parent"], full);
    EXPECT_LT(first["bytes_read"].get<double>(), first["bytes"].get<double>() / 4);
    EXPECT_LT(first["stored_bytes"].get<double>(), 1e6);
    expect_restored(protectee, {"postgres"});

    // One upon another, with new, dropped and grown relations.
    protectee.session().script(
        "INSERT INTO shop SELECT g, 'more' FROM generate_series(60001, 90000) g; CREATE TABLE fresh AS SELECT * FROM shop LIMIT 5000;"
        "DELETE FROM shop WHERE id BETWEEN 100 AND 200; CREATE INDEX ON shop(note)");
    const auto second = take_incremental(protectee);
    EXPECT_EQ(second["parent"], first["id"]);
    protectee.session().script("DROP TABLE fresh; REINDEX TABLE shop");
    take_incremental(protectee);
    expect_restored(protectee, {"postgres"});
    // A backup in the middle needs none of the others.
    EXPECT_TRUE(protectee.howdah_json({"backup", "verify"})["ok"]);
    const auto into = protectee.workspace() / "middle";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end", "--backup", second["id"]});
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM fresh"), "5000");
    EXPECT_EQ(check_restored(server), "");
}

TEST(Incremental, OfAnIdleServerStoresNextToNothing) {
    ProtectedServer protectee;
    fill(protectee);
    protectee.howdah_ok({"backup", "run"});
    take_incremental(protectee);
    const auto idle = take_incremental(protectee);
    EXPECT_LT(idle["stored_bytes"].get<double>(), 64 * 1024) << idle.dump(1);
    expect_restored(protectee, {"postgres"});
}

// T3: the pages after a truncation are made of zeros without WAL; those of the backup before must not come back.
TEST(Incremental, TruncatedAndExtendedRelationsDoNotGetOldRowsBack) {
    ProtectedServer protectee;
    fill(protectee);
    protectee.session().script("CREATE TABLE kept AS SELECT * FROM shop");
    protectee.howdah_ok({"backup", "run"});
    protectee.session().script("DELETE FROM kept WHERE id > 1000; TRUNCATE shop");
    protectee.session().script("VACUUM kept");  // Cuts the file.
    protectee.session().script(
        "INSERT INTO kept SELECT g, 'again' FROM generate_series(70000, 80000) g; INSERT INTO shop VALUES (1, 'one')");
    take_incremental(protectee);
    expect_restored(protectee, {"postgres"});
}

// T4: databases that are copied as files leave no references to blocks.
TEST(Incremental, DatabasesMadeCopiedMovedAndDropped) {
    ProtectedServer protectee;
    fill(protectee);
    const auto space = protectee.workspace() / "space";
    fs::create_directory(space);
    const auto& user = protectee.server().user();
    if (::geteuid() == 0 && ::chown(space.c_str(), user.uid, user.gid) != 0) FAIL() << "chown failed: " << space;
    auto session = protectee.session();
    session.script("CREATE TABLESPACE space LOCATION '" + space.string() + "'");
    session.script("CREATE DATABASE moving");
    session.script("CREATE DATABASE going");
    {
        auto inside = protectee.session("moving");
        inside.script("CREATE TABLE t AS SELECT g, repeat('x', 100) AS x FROM generate_series(1, 20000) g");
    }
    protectee.howdah_ok({"backup", "run"});
    session.script("CREATE DATABASE copied TEMPLATE moving STRATEGY file_copy");
    session.script("CREATE DATABASE logged TEMPLATE moving STRATEGY wal_log");
    session.script("ALTER DATABASE moving SET TABLESPACE space");
    session.script("DROP DATABASE going");
    take_incremental(protectee);
    session.script("ALTER DATABASE moving SET TABLESPACE pg_default");
    {
        auto inside = protectee.session("moving");
        inside.script("UPDATE t SET x = 'y' WHERE g % 100 = 0");
    }
    take_incremental(protectee);
    std::vector<std::string> truth;
    for (const char* name : {"moving", "copied", "logged"}) truth.push_back(dump(protectee.server(), name));
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end", "--tablespace",
                         "space=" + (protectee.workspace() / "space-restored").string()});
    auto server = protectee.start_restored(into);
    std::size_t i = 0;
    for (const char* name : {"moving", "copied", "logged"}) EXPECT_EQ(dump(server, name), truth[i++]) << name;
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM pg_database WHERE datname = 'going'"), "0");
    EXPECT_EQ(check_restored(server), "");
}

TEST(Incremental, WithoutOneToBuildUponIsFullAndSaysSo) {
    ProtectedServer protectee;
    fill(protectee);
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"});
    EXPECT_EQ(taken["backup"]["type"], "full");
    EXPECT_TRUE(taken["backup"]["parent"].is_null());
    ASSERT_EQ(taken["warnings"].size(), 1u) << taken.dump(1);
    EXPECT_EQ(taken["warnings"][0], "there is no backup of this cluster yet: this backup is a full one");
    const std::string full = taken["backup"]["id"];
    EXPECT_EQ(take_incremental(protectee)["parent"], full);
    const auto dry = protectee.howdah({"--dry-run", "backup", "run", "--type", "incr", "--parent", full});
    EXPECT_EQ(dry.output.find("Would read what changed since backup " + full), 0u) << dry.output << dry.errors;
    // The one that is wished for, although there is a newer one.
    EXPECT_EQ(protectee.howdah_json({"backup", "run", "--type", "incr", "--parent", full})["backup"]["parent"], full);
    const auto refused = protectee.howdah({"backup", "run", "--type", "full", "--parent", full});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.errors.find("builds upon no other"), std::string::npos) << refused.errors;
    EXPECT_EQ(protectee.howdah({"backup", "run", "--type", "incr", "--parent", "nobody"}).exit_code, 1);
    EXPECT_EQ(protectee.howdah({"backup", "run", "--type", "diff"}).exit_code, 2);
}

// Summaries spare looking at segments, and stay when the WAL has gone.
TEST(Incremental, SummariesLeadOnWhereTheWalHasGone) {
    ProtectedServer protectee;
    fill(protectee);
    const std::string full = protectee.howdah_json({"backup", "run"})["backup"]["id"];
    EXPECT_EQ(protectee.howdah_json({"wal", "summarize"})["segments"], 0) << "nothing is archived behind the start";
    for (int i = 0; i < 5; ++i) {
        protectee.session().script("UPDATE shop SET note = 'round' WHERE id % 6000 = " + std::to_string(i));
        protectee.archive_everything();
    }
    const auto done = protectee.howdah_json({"wal", "summarize"});
    EXPECT_GE(done["segments"], 4) << done.dump(1);
    EXPECT_EQ(protectee.howdah_json({"wal", "summarize"})["segments"], 0) << "once is enough";
    EXPECT_TRUE(protectee.howdah_json({"backup", "verify"})["ok"]);
    EXPECT_TRUE(protectee.howdah_json({"repo", "check"})["ok"]);
    protectee.howdah_ok({"repo", "gc", "--grace", "0"});
    // The segments that were summarized, but for those that the full backup itself needs.
    const auto keep = protectee.howdah_json({"backup", "show", full})["backup"]["last_segment"].get<std::string>();
    const auto last = protectee.session().value("SELECT pg_walfile_name('" + done["to"].get<std::string>() + "'::pg_lsn)");
    int removed = 0;
    std::vector<fs::path> segments;
    for (const auto& entry : fs::recursive_directory_iterator(protectee.repository()))
        if (entry.is_regular_file() && entry.path().string().find("/wal/") != std::string::npos) segments.push_back(entry.path());
    for (const auto& path : segments) {
        const auto name = path.filename().string();
        if (name > keep && name < last) removed += fs::remove(path) ? 1 : 0;
    }
    EXPECT_GE(removed, 3);
    const auto taken = take_incremental(protectee);
    EXPECT_LT(taken["bytes_read"].get<double>(), taken["bytes"].get<double>() / 4);
    expect_restored(protectee, {"postgres"}, taken["id"]);
    // Upon an older one, over several stretches.
    protectee.session().script("UPDATE shop SET note = 'last' WHERE id % 6000 = 9");
    const auto older = protectee.howdah_json({"backup", "run", "--type", "incr", "--parent", full});
    EXPECT_EQ(older["backup"]["fallback"], json::array()) << older.dump(1);
    expect_restored(protectee, {"postgres"}, older["backup"]["id"]);
    // Without a backup from whose start they count they are garbage.
    EXPECT_TRUE(protectee.howdah_json({"repo", "check"})["ok"]);
}

TEST(Incremental, AndFullOnesReadNoFasterThanTheyMay) {
    ProtectedServer protectee;
    fill(protectee);
    // 30 MB and more at 20 MB a second.
    const auto full = protectee.howdah_json({"backup", "run", "--limit", "20"})["backup"];
    EXPECT_GE(full["seconds"].get<double>(), full["bytes_read"].get<double>() / 20e6 * 0.8) << full.dump(1);
    for (const char* nonsense : {"0", "-1", "fast", "1e99"}) {
        const auto refused = protectee.howdah({"backup", "run", "--limit", nonsense});
        EXPECT_EQ(refused.exit_code, 2) << nonsense;
        EXPECT_NE(refused.errors.find("megabytes per second"), std::string::npos) << refused.errors;
    }
}

// A hole in the WAL: what changed cannot be known, so everything is read and compared; nothing is stored twice.
TEST(Incremental, AGapInTheWalMakesItReadEverythingAndSaySo) {
    ProtectedServer protectee;
    fill(protectee);
    protectee.howdah_ok({"backup", "run"});
    protectee.session().script("UPDATE shop SET note = 'changed' WHERE id % 6000 = 1");
    const auto lost = protectee.session().value("SELECT pg_walfile_name(pg_current_wal_lsn())");
    protectee.archive_everything();
    protectee.session().script("CHECKPOINT");
    protectee.session().script("UPDATE shop SET note = 'again' WHERE id % 6000 = 2");
    protectee.archive_everything();
    for (const auto& entry : fs::recursive_directory_iterator(protectee.repository()))
        if (entry.path().filename() == lost) {
            fs::remove(entry.path());
            break;
        }
    fs::remove(protectee.server().data_directory() / "pg_wal" / lost);
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"});
    EXPECT_EQ(taken["backup"]["type"], "incr");
    ASSERT_FALSE(taken["backup"]["fallback"].empty()) << taken.dump(1);
    EXPECT_NE(taken["backup"]["fallback"][0].get<std::string>().find(lost), std::string::npos) << taken.dump(1);
    EXPECT_GE(taken["backup"]["bytes_read"].get<double>(), taken["backup"]["bytes"].get<double>() * 0.99);
    EXPECT_LT(taken["backup"]["stored_bytes"].get<double>(), 1e6);
    expect_restored(protectee, {"postgres"}, taken["backup"]["id"]);
}

}  // namespace
}  // namespace howdah::tests
