// T1 to T5, T8: what WAL says of the blocks that an incremental need not read, and what it does not say.

#include "base/file.hpp"
#include "fixture.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

// What changes while the parent is copied may be in its copy or not.
TEST(Trap, T1_from_start) {
    ProtectedServer protectee;
    make_shop(protectee, 5000);
    {
        HeldBackup parent(protectee, "backup.copied");
        auto session = protectee.session();
        session.query("UPDATE shop SET note = 'during' WHERE id % 100 = 0");
        session.query("CHECKPOINT");
        // What stands in the segment of the parent's end is looked at in any case.
        session.query("SELECT pg_switch_wal()");
        ASSERT_EQ(parent.finish().exit_code, 0);
    }
    take_incremental(protectee);
    expect_like_server(protectee);
}

TEST(Trap, T1_gaps) {
    ProtectedServer protectee;
    make_shop(protectee, 5000);
    take_parent(protectee);
    std::string lost;
    for (const char* word : {"lost", "kept"}) {
        auto session = protectee.session();
        session.query("SELECT pg_switch_wal()");
        session.query("UPDATE shop SET note = '" + std::string(word) + "' WHERE id % 100 = 0");
        if (lost.empty()) lost = session.value("SELECT pg_walfile_name(pg_current_wal_lsn())");
        protectee.archive_everything();
        session.query("CHECKPOINT");
    }
    for (const auto& object : objects_named(protectee, lost)) fs::remove(object);
    fs::remove(protectee.server().data_directory() / "pg_wal" / lost);
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"})["backup"];
    EXPECT_EQ(taken["type"], "incr");
    EXPECT_NE(taken["fallback"].dump().find(lost), std::string::npos) << taken.dump(1);
    expect_like_server(protectee);
}

// The map is cut with its relation, is made of zeros again and, until some minor versions of each major, has bits cleared without being
// named. With the old bits an index-only scan returns what was deleted.
TEST(Trap, T2_visibility_map) {
    ProtectedServer protectee;
    protectee.session().query("CREATE EXTENSION pg_visibility");
    auto session = std::make_unique<postgres::Session>(protectee.session());
    session->script("BEGIN; CREATE TABLE shop(id int); CREATE INDEX ON shop(id)");
    session->query("COPY shop FROM PROGRAM 'seq 1 5000' WITH (FREEZE)");
    const auto map = protectee.server().data_directory() / (session->value("SELECT pg_relation_filepath('shop')") + "_vm");
    take_parent(protectee);
    const auto size = fs::file_size(map);
    ASSERT_GT(size, 0u);
    {
        // To somebody the new rows are not there yet: vacuum sets no bit, but makes room for them.
        auto beside = protectee.session();
        beside.script("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
        session->script("TRUNCATE shop; INSERT INTO shop SELECT generate_series(1, 5000); COMMIT");
        session->query("VACUUM shop");
    }
    session->query("DELETE FROM shop WHERE id % 10 = 0");
    ASSERT_EQ(fs::file_size(map), size);
    take_incremental(protectee);
    auto server = protectee.start_restored(restore_newest(protectee));
    auto restored = open_session(server);
    restored.script("SET enable_seqscan = off; SET enable_bitmapscan = off");
    EXPECT_EQ(restored.value("SELECT count(*) FROM shop WHERE id > 0"), "4500");
    EXPECT_EQ(restored.value("SELECT count(*) FROM pg_check_visible('shop')"), "0");
    EXPECT_EQ(restored.value("SELECT count(*) FROM pg_check_frozen('shop')"), "0");
}

// A relation that was cut and is longer again holds zeros that no record names: the rows of before must not stand there.
TEST(Trap, T3_truncation) {
    ProtectedServer protectee(crashing());
    auto session = std::make_unique<postgres::Session>(protectee.session());
    // Within one transaction a table is cut in place, and the rows of before are of a transaction that commits.
    session->script("BEGIN; CREATE TABLE shop(id int, note text)");
    session->script("INSERT INTO shop SELECT g, repeat('row ' || g, 20) FROM generate_series(1, 20000) g");
    const auto shop = protectee.server().data_directory() / session->value("SELECT pg_relation_filepath('shop')");
    take_parent(protectee);
    session->script("TRUNCATE shop; INSERT INTO shop VALUES (1, 'one'); COMMIT");
    session.reset();
    crash_during(protectee, "INSERT INTO shop SELECT g, repeat('late ' || g, 20) FROM generate_series(1, 8000) g");
    ASSERT_GT(zero_pages(shop, 1), 50u);
    take_incremental(protectee);
    auto server = protectee.start_restored(restore_newest(protectee));
    EXPECT_EQ(count_of(server, "shop"), "1");
    expect_like_server(protectee);
}

// Moved there and back, a database's files hold what was changed elsewhere; made anew under its old number, they are another's.
TEST(Trap, T4_databases) {
    ProtectedServer protectee;
    const auto space = make_space(protectee, "there");
    auto session = protectee.session();
    session.query("CREATE TABLESPACE there LOCATION " + session.quote_literal(space.string()));
    session.query("CREATE DATABASE moving");
    session.query("CREATE DATABASE blue");
    for (const char* name : {"moving", "blue"})
        protectee.session(name).script("CREATE TABLE t AS SELECT g, repeat('x', 100) AS x FROM generate_series(1, 20000) g");
    session.query("CREATE DATABASE green TEMPLATE blue STRATEGY file_copy");
    protectee.session("green").script("UPDATE t SET x = repeat('green', 20) WHERE g <= 10000");
    protectee.session("blue").script("UPDATE t SET x = repeat('blue.', 20) WHERE g <= 10000");
    session.query("CREATE DATABASE reborn OID 70000 TEMPLATE blue STRATEGY file_copy");
    take_parent(protectee);
    session.query("ALTER DATABASE moving SET TABLESPACE there");
    protectee.session("moving").script("UPDATE t SET x = 'y' WHERE g % 100 = 0");
    session.query("ALTER DATABASE moving SET TABLESPACE pg_default");
    session.query("DROP DATABASE reborn");
    session.query("CREATE DATABASE reborn OID 70000 TEMPLATE green STRATEGY file_copy");
    take_incremental(protectee);
    expect_like_server(protectee, {"moving", "reborn", "blue", "green"},
                       {"--tablespace", "there=" + (protectee.workspace() / "space-restored").string()});
}

/// What makes a table of two columns in a file of that number, in binary upgrade mode.
std::string make_numbered(ProtectedServer& protectee, const std::string& table, const std::string& file) {
    std::string sql;
    const std::map<std::string, std::string> numbers{
        {"pg_type_oid", "70001"}, {"array_pg_type_oid", "70002"}, {"heap_pg_class_oid", "70003"}, {"heap_relfilenode", file}};
    for (const auto& [what, number] : numbers)
        sql += "SELECT pg_catalog.binary_upgrade_set_next_" + what + "('" + number + "'::pg_catalog.oid)\n";
    // Some minor versions want this too.
    const std::string versions = "binary_upgrade_set_next_attribute_versions";
    if (protectee.session().value("SELECT count(*) FROM pg_proc WHERE proname = '" + versions + "'") != "0")
        sql += "SELECT pg_catalog." + versions + "('{0/1,0/1}'::pg_catalog.pg_lsn[])\n";
    return sql + "CREATE TABLE public." + table + "\n";
}

// A relation under the number of one that was dropped: what no record names of it is zeros, not the old one's pages.
TEST(Trap, T5_made_and_dropped) {
    ProtectedServer protectee(crashing());
    const auto old = make_shop(protectee, 20000);
    const auto number = protectee.session().value("SELECT pg_relation_filenode('shop')");
    take_parent(protectee);
    protectee.session().query("DROP TABLE shop");
    protectee.session().query("CHECKPOINT");
    const auto sql = make_numbered(protectee, "fresh(id int, note text)", number);
    ASSERT_NO_FATAL_FAILURE(run_single_user(protectee, sql));
    protectee.server().start();
    protectee.session().query("INSERT INTO fresh VALUES (1, 'one')");
    ASSERT_EQ(protectee.server().data_directory() / protectee.session().value("SELECT pg_relation_filepath('fresh')"), old);
    crash_during(protectee, "INSERT INTO fresh SELECT g, repeat('late ' || g, 20) FROM generate_series(1, 8000) g");
    ASSERT_GT(zero_pages(old, 1), 50u);
    take_incremental(protectee);
    auto server = protectee.start_restored(restore_newest(protectee));
    EXPECT_EQ(count_of(server, "fresh"), "1");
    expect_like_server(protectee);
}

// With wal_level minimal new relations are written without WAL: it proves nothing.
TEST(Trap, T8_minimal_level) {
    ProtectedServer::Options options;
    options.scratch.settings = {{"wal_keep_size", "256MB"}, {"wal_skip_threshold", "64kB"}};
    ProtectedServer protectee(options);
    make_shop(protectee, 5000);
    take_parent(protectee);
    for (const char* setting : {"wal_level = minimal", "archive_mode = off", "max_wal_senders = 0"})
        protectee.session().query("ALTER SYSTEM SET " + std::string(setting));
    protectee.server().restart();
    protectee.session().script(
        "BEGIN; CREATE TABLE silent(id int, note text); INSERT INTO silent SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g; COMMIT");
    for (const char* setting : {"wal_level = replica", "archive_mode = on", "max_wal_senders = 10"})
        protectee.session().query("ALTER SYSTEM SET " + std::string(setting));
    protectee.server().restart();
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"})["backup"];
    EXPECT_EQ(taken["type"], "incr");
    EXPECT_NE(taken["fallback"].dump().find("wal_level is minimal"), std::string::npos) << taken.dump(1);
    expect_like_server(protectee);
}

}  // namespace
}  // namespace howdah::tests
