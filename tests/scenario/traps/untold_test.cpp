// T6, T7, T9, T10, T17, T20: what an incremental must not believe.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>

#include "base/file.hpp"
#include "fixture.hpp"
#include "postgres/crc32c.hpp"
#include "postgres/page.hpp"
#include "postgres/wal_walk.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kMessages = 21;      // The resource manager of pg_logical_emit_message.
constexpr std::uint8_t kAnExtensions = 200;

/// Makes the first logical message in a segment a record of an extension's resource manager: other number, right checksum.
bool give_message_to_extension(const fs::path& path) {
    std::string segment = base::read_file(path, {1u << 30});
    postgres::WalWalker walker(base::as_bytes(segment), postgres::parse_segment_header(base::as_bytes(segment)));
    for (postgres::WalRecord record; walker.next(record);) {
        if (!record.whole || record.resource_manager() != kMessages) continue;
        std::string changed(base::as_text(record.bytes));
        const auto at = segment.find(changed);
        if (at == std::string::npos) continue;  // A page's edge goes through it.
        changed[17] = static_cast<char>(kAnExtensions);
        const auto bytes = base::as_bytes(changed);
        const auto sum = postgres::crc32c_finish(
            postgres::crc32c_extend(postgres::crc32c_extend(postgres::kCrc32cStart, bytes.subspan(24)), bytes.first(20)));
        std::memcpy(changed.data() + 20, &sum, sizeof sum);
        const auto file = base::File::open(path, O_RDWR);
        file.write_at(base::as_bytes(changed), at);
        return true;
    }
    return false;
}

// An extension's record may change what it does not name. Here it copied one relation's file over another's.
TEST(Trap, T6_unknown_records) {
    ProtectedServer::Options options;
    options.archiving = false;
    options.scratch.settings["archive_command"] = "false";
    ProtectedServer protectee(options);
    const auto shop = make_shop(protectee, 5000);
    protectee.session().query("CREATE TABLE other AS SELECT id, replace(note, 'row', 'new') AS note FROM shop");
    const auto other = protectee.server().data_directory() / protectee.session().value("SELECT pg_relation_filepath('other')");
    take_parent(protectee);
    protectee.session().query("SELECT pg_switch_wal()");
    for (int i = 0; i < 3; ++i) protectee.session().query("SELECT pg_logical_emit_message(false, 'trap', 'a record of an extension')");
    const auto segment = protectee.session().value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    protectee.server().stop();
    ASSERT_TRUE(give_message_to_extension(protectee.server().data_directory() / "pg_wal" / segment));
    ASSERT_EQ(fs::file_size(shop), fs::file_size(other));
    fs::copy_file(other, shop, fs::copy_options::overwrite_existing);
    protectee.server().start();
    ASSERT_EQ(protectee.session().value("SELECT count(*) FROM shop WHERE note LIKE 'new%'"), "5000");
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"})["backup"];
    EXPECT_EQ(taken["type"], "incr");
    EXPECT_NE(taken["fallback"].dump().find("resource manager 200"), std::string::npos) << taken.dump(1);
    expect_like_server(protectee);
}

// Commit logs have no page headers and no record names their pages.
TEST(Trap, T7_commit_logs) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    take_parent(protectee);
    // Nobody reads these rows before the backup, so that no hint bit says that they were committed.
    protectee.session().query("INSERT INTO shop SELECT g, 'new' FROM generate_series(1001, 1100) g");
    take_incremental(protectee);
    auto server = protectee.start_restored(restore_newest(protectee));
    EXPECT_EQ(count_of(server, "shop"), "1100");
}

// The map that says in which files the catalogs are has always the same size.
TEST(Trap, T7_whole_files) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    take_parent(protectee);
    protectee.session().query("VACUUM FULL pg_class");
    take_incremental(protectee);
    const auto map = fs::path("base") / protectee.session().value("SELECT oid FROM pg_database WHERE datname = 'postgres'") / "pg_filenode.map";
    const bool equal = base::read_file(restore_newest(protectee) / map) == base::read_file(protectee.server().data_directory() / map);
    ASSERT_TRUE(equal) << "the server would look for pg_class in a file that is gone";
    expect_like_server(protectee);
}

// Pages change on disk without WAL: neither a reason to read them nor a damage.
TEST(Trap, T9_hint_bits) {
    ProtectedServer::Options options;
    options.scratch.checksums = false;
    ProtectedServer protectee(options);
    protectee.session().script(
        "CREATE TABLE shop(id int, note text); INSERT INTO shop SELECT g, repeat('row ' || g, 20) FROM generate_series(1, 20000) g");
    const auto shop = protectee.server().data_directory() / protectee.session().value("SELECT pg_relation_filepath('shop')");
    take_parent(protectee);
    const auto before = base::read_file(shop, {1u << 30});
    protectee.session().query("SELECT count(*) FROM shop");
    protectee.session().query("CHECKPOINT");
    ASSERT_TRUE(before != base::read_file(shop, {1u << 30})) << "no hint bit reached the file";
    const auto taken = take_incremental(protectee);
    EXPECT_LT(taken["bytes_read"].get<double>(), static_cast<double>(before.size()));
    EXPECT_EQ(taken["bad_pages"], 0) << taken.dump(1);
    EXPECT_TRUE(protectee.howdah_json({"backup", "verify"})["ok"]);
    expect_like_server(protectee);
}

// pg_checksums writes every page without WAL.
TEST(Trap, T10_checksum_version) {
    ProtectedServer::Options options;
    options.scratch.checksums = false;
    ProtectedServer protectee(options);
    const auto shop = make_shop(protectee, 5000);
    take_parent(protectee);
    protectee.server().stop();
    const auto enabled = protectee.server().run("pg_checksums", {"--enable", "-D", protectee.server().data_directory().string()});
    ASSERT_EQ(enabled.exit_code, 0) << enabled.errors;
    protectee.server().start();
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"});
    std::vector<postgres::BadPage> bad;
    const auto bytes = base::read_file(restore_newest(protectee) / fs::relative(shop, protectee.server().data_directory()), {1u << 30});
    postgres::check_pages(base::as_bytes(bytes), 0, bad);
    ASSERT_EQ(bad.size(), 0u) << "pages without a checksum came back";
    EXPECT_EQ(taken["backup"]["type"], "full");
    EXPECT_NE(taken["warnings"].dump().find("data checksums were switched on or off"), std::string::npos) << taken.dump(1);
    expect_like_server(protectee);
}

// The newest backup by its place in the WAL may be of a timeline that was left before it.
TEST(Trap, T17_left_timeline) {
    ProtectedServer protectee;
    make_shop(protectee, 5000);
    const std::string full = take_parent(protectee)["id"];
    const auto into = protectee.workspace() / "branch";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    protectee.session().query("UPDATE shop SET note = 'left' WHERE id % 100 = 0");
    protectee.session().query("SELECT pg_switch_wal()");
    const std::string left = take_incremental(protectee)["id"];
    protectee.archive_everything();

    protectee.start_restored(into).stop();
    // As a server of its own; what it wrote is archived by the backup.
    postgres::ScratchOptions options;
    options.directory = into;
    options.programs = protectee.server().programs();
    options.settings = {{"archive_mode", "on"}, {"archive_command", "false"}};
    auto branch = postgres::ScratchServer::adopt(options);
    {
        auto session = open_session(branch);
        session.query("UPDATE shop SET note = 'went on' WHERE id % 100 = 1");
        // Beyond the end of the timeline that was left.
        for (int i = 0; i < 6; ++i) session.script("SELECT pg_logical_emit_message(false, 'trap', 'on'); SELECT pg_switch_wal()");
    }
    const auto pushed = howdah_in(protectee, into, {"wal", "push", "pg_wal/00000002.history"});
    ASSERT_EQ(pushed.exit_code, 0) << pushed.errors;
    protectee.set_config("cluster.main.conninfo", "\"" + branch.conninfo() + "\"");
    protectee.set_config("cluster.main.data_directory", "\"" + into.string() + "\"");
    const auto taken = take_incremental(protectee);
    EXPECT_EQ(taken["parent"], full) << left << " is of the timeline that was left";
    const auto truth = dump(branch, "postgres");
    auto server = protectee.start_restored(restore_newest(protectee));
    EXPECT_EQ(count_of(server, "shop WHERE note = 'left'"), "0");
    const bool equal = dump(server, "postgres") == truth;
    EXPECT_TRUE(equal) << "the dumps differ";
    EXPECT_EQ(check_restored(server), "");
}

// A clock that was set back, a copy that kept times: a file of the same size and time may be another.
TEST(Trap, T20_mtime) {
    ProtectedServer protectee;
    const auto shop = make_shop(protectee, 5000);
    protectee.session().query("CHECKPOINT");
    struct stat then {};
    ASSERT_EQ(::stat(shop.c_str(), &then), 0);
    take_parent(protectee);
    protectee.session().query("DELETE FROM shop WHERE id % 100 = 0");
    protectee.session().query("CHECKPOINT");
    const timespec times[] = {then.st_atim, then.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, shop.c_str(), times, 0), 0);
    take_incremental(protectee);
    expect_like_server(protectee);
}

}  // namespace
}  // namespace howdah::tests
