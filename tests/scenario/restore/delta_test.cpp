// `restore --delta`: an earlier copy becomes, byte by byte, what a fresh restore is; what is right already is not even read from the repository.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "support/protected_server.hpp"
#include "support/trees.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class DeltaRestore : public testing::Test {
protected:
    DeltaRestore() {
        const auto place = protectee_.workspace() / "space";
        fs::create_directory(place);
        own(place);
        auto session = protectee_.session();
        session.query("CREATE TABLESPACE one LOCATION " + session.quote_literal(place.string()));
        session.script(
            "CREATE TABLE shop(id int PRIMARY KEY, note text);"
            "INSERT INTO shop SELECT g, repeat('row ' || g, 20) FROM generate_series(1, 30000) g;"
            "CREATE TABLE gone(id int); INSERT INTO gone SELECT generate_series(1, 30000);"
            "CREATE TABLE far(id int) TABLESPACE one; INSERT INTO far SELECT generate_series(1, 20000);"
            "CHECKPOINT");
        far_ = session.value("SELECT pg_relation_filepath('far')");
        shop_ = session.value("SELECT pg_relation_filepath('shop')");
        gone_ = session.value("SELECT pg_relation_filepath('gone')");
        backup_ = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
        protectee_.howdah_ok(words("restored", {"--tablespace", "one=" + moved().string()}));
    }

    Words words(const std::string& name, const Words& more = {}) const {
        Words all{"restore", "--backup", backup_, "--to-backup-end", "--into", (protectee_.workspace() / name).string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    fs::path into() const { return protectee_.workspace() / "restored"; }
    fs::path moved() const { return protectee_.workspace() / "moved"; }

    void own(const fs::path& path) const {
        const auto& user = protectee_user();
        EXPECT_TRUE(::geteuid() != 0 || ::lchown(path.c_str(), user.uid, user.gid) == 0);
    }
    const base::User& protectee_user() const { return const_cast<ProtectedServer&>(protectee_).server().user(); }

    /// A fresh restore beside it is the truth.
    void expect_as_fresh() {
        protectee_.howdah_ok(words("fresh", {"--tablespace", "one=" + (protectee_.workspace() / "fresh-space").string()}));
        auto fresh = tree_of(protectee_.workspace() / "fresh"), here = tree_of(into());
        for (auto* tree : {&fresh, &here}) std::erase_if(*tree, [](const auto& entry) { return entry.first.starts_with("pg_tblspc/"); });
        EXPECT_EQ(difference(fresh, here), "");
        EXPECT_EQ(difference(tree_of(protectee_.workspace() / "fresh-space"), tree_of(moved())), "");
    }

    void expect_right() {
        auto server = protectee_.start_restored(into());
        auto session = open_session(server);
        EXPECT_EQ(session.value("SELECT count(*) FROM shop"), "30000");
        EXPECT_EQ(session.value("SELECT count(*) FROM gone"), "30000");
        EXPECT_EQ(session.value("SELECT count(*) FROM far"), "20000");
        EXPECT_EQ(check_restored(server), "");
    }

    ProtectedServer protectee_;
    std::string backup_, far_, shop_, gone_;
};

TEST_F(DeltaRestore, AfterTheCopyWasUsedItIsAsAFreshOne) {
    {
        auto server = protectee_.start_restored(into());
        auto session = open_session(server);
        session.query("CREATE DATABASE other");
        session.script(
            "UPDATE shop SET note = 'changed' WHERE id % 100 = 0; DROP TABLE gone; CREATE TABLE later AS SELECT g FROM generate_series(1, 9000) g;"
            "DELETE FROM far WHERE id > 100");
        session.query("VACUUM far");
        session.query("ALTER SYSTEM SET work_mem = '5MB'");
        server.stop();
    }
    const auto result = protectee_.howdah_json(words("restored", {"--delta"}));
    EXPECT_GT(result["bytes_rewritten"], 0);
    EXPECT_GT(result["files_removed"], 0);
    EXPECT_LT(result["bytes_rewritten"].get<std::uint64_t>(), result["plan"]["bytes"].get<std::uint64_t>() / 2) << "pages, not files";
    expect_as_fresh();
    expect_right();
}

TEST_F(DeltaRestore, WithNothingToDoReadsHashesOnly) {
    const auto before = times_of(into() / "base");
    const auto far_before = times_of(moved());
    // Whoever reads a data frame meets damage: the first half of each pack is frames of data.
    unsigned packs = 0;
    for (const auto& entry : fs::recursive_directory_iterator(protectee_.repository() / "cluster")) {
        if (!entry.is_regular_file() || entry.path().string().find("/pack/") == std::string::npos) continue;
        ++packs;
        fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
        for (std::uint64_t at = 48; at < entry.file_size() / 2; at += 4096) flip_byte(entry.path(), at);
    }
    ASSERT_GT(packs, 0u);
    const auto result = protectee_.howdah_json(words("restored", {"--delta"}));
    EXPECT_EQ(result["stored_bytes_fetched"], 0);
    EXPECT_EQ(result["bytes_rewritten"], 0);
    EXPECT_EQ(result["files_removed"], 0);
    EXPECT_EQ(result["bytes_compared"], result["plan"]["bytes"]);
    EXPECT_EQ(times_of(into() / "base"), before);
    EXPECT_EQ(times_of(moved()), far_before);
    EXPECT_EQ(protectee_.howdah(words("fresh", {"--tablespace", "one=" + (protectee_.workspace() / "fs").string()})).exit_code, 1)
        << "the damage was none";
    expect_right();
}

TEST_F(DeltaRestore, MendsWhatIsTooMuchTooLittleOrWrong) {
    const auto put = [&](const fs::path& path, const std::string& text) {
        base::write_file_durably(path, text);
        own(path);
    };
    const auto folder = into() / "base" / "99999";
    fs::create_directories(folder / "deep");
    own(folder);
    own(folder / "deep");
    put(folder / "deep" / "16999", "x");
    put(into() / "postmaster.pid", "999999999\n");
    put(into() / "pg_wal" / "0000000100000000000000FF", std::string(1u << 20, 'w'));
    const auto far = moved() / fs::path(far_.substr(far_.find("PG_")));
    put(far.parent_path() / "77777", "extra");
    put(moved() / "stray", "extra");
    fs::create_directory(moved() / "PG_17_202406281");  // Another server's.
    own(moved() / "PG_17_202406281");
    flip_byte(far, 8192 + 17);
    flip_byte(into() / shop_, 3 * 8192 + 4000);
    fs::resize_file(into() / gone_, 5000);
    std::ofstream(into() / (shop_ + "_fsm"), std::ios::app) << std::string(9000, 'l');
    fs::remove(into() / "PG_VERSION");
    fs::create_directory(into() / "PG_VERSION.d");
    own(into() / "PG_VERSION.d");
    put(into() / "PG_VERSION", "15\n");
    fs::remove(into() / "pg_ident.conf");
    fs::create_directory(into() / "pg_ident.conf");
    own(into() / "pg_ident.conf");
    const auto elsewhere = protectee_.workspace() / "elsewhere";
    fs::rename(into() / "pg_xact", elsewhere);
    fs::create_directory_symlink(elsewhere, into() / "pg_xact");
    own(into() / "pg_xact");
    const auto twin = protectee_.workspace() / "twin";
    fs::create_hard_link(into() / "pg_hba.conf", twin);
    std::ofstream(twin, std::ios::app) << "# shared by another name\n";
    const auto twin_text = base::read_file(twin);
    const auto elsewhere_before = tree_of(elsewhere);
    fs::permissions(into() / "postgresql.conf", fs::perms::owner_read);
    fs::permissions(into() / "base", fs::perms::owner_all | fs::perms::group_all);

    const auto result = protectee_.howdah_json(words("restored", {"--delta"}));
    EXPECT_EQ(base::read_file(twin), twin_text) << "a file that another name shares was written";
    EXPECT_EQ(difference(elsewhere_before, tree_of(elsewhere)), "") << "a link was followed";
    EXPECT_TRUE(fs::remove(moved() / "PG_17_202406281")) << "another server's folder was removed";
    EXPECT_EQ(result["files_removed"], 5) << "16999, the pid file is no file of the copy, the segment, 77777, stray, the link"
                                          << result.dump(1);
    expect_as_fresh();
    expect_right();
}

TEST_F(DeltaRestore, GoesFromOneBackupToAnother) {
    auto session = protectee_.session();
    session.script(
        "UPDATE shop SET note = 'second' WHERE id < 50; CREATE TABLE more AS SELECT g FROM generate_series(1, 5000) g; CHECKPOINT");
    backup_ = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
    const auto result = protectee_.howdah_json(words("restored", {"--delta"}));
    EXPECT_LT(result["bytes_rewritten"].get<std::uint64_t>(), result["plan"]["bytes"].get<std::uint64_t>() / 2);
    expect_as_fresh();
    auto server = protectee_.start_restored(into());
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM shop WHERE note = 'second'"), "49");
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM more"), "5000");
    EXPECT_EQ(check_restored(server), "");
}

TEST_F(DeltaRestore, AnIncrementalsPagesAreFoundInAllItsPacks) {
    auto session = protectee_.session();
    session.script("UPDATE shop SET note = 'second' WHERE id % 500 = 0; DELETE FROM far WHERE id = 1; CHECKPOINT");
    backup_ = protectee_.howdah_json({"backup", "run", "--type", "incr"})["backup"]["id"];
    const auto result = protectee_.howdah_json(words("restored", {"--delta"}));
    EXPECT_GT(result["bytes_rewritten"], 0);
    expect_as_fresh();
    const auto again = protectee_.howdah_json(words("restored", {"--delta"}));
    EXPECT_EQ(again["bytes_rewritten"], 0);
    EXPECT_LT(again["stored_bytes_fetched"].get<std::uint64_t>(), 1u << 20) << "frames of small files that are partly of the older backup";
    auto server = protectee_.start_restored(into());
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM shop WHERE note = 'second'"), "60");
    EXPECT_EQ(check_restored(server), "");
}

TEST_F(DeltaRestore, TheLostClustersOwnDirectoryComesBackInPlace) {
    auto& server = protectee_.server();
    protectee_.session().script("DROP TABLE gone; UPDATE shop SET note = 'spoiled'");
    protectee_.archive_everything();
    const auto data = server.data_directory();
    EXPECT_EQ(protectee_.howdah({"restore", "--into", data.string(), "--delta", "--to-backup-end"}).exit_code, 1) << "it runs";
    server.stop();
    protectee_.howdah_ok({"restore", "--into", data.string(), "--delta", "--to-backup-end", "--archive", "keep"});
    server.start();
    auto session = protectee_.session();
    EXPECT_EQ(session.value("SELECT count(*) FROM gone"), "30000");
    EXPECT_EQ(session.value("SELECT count(*) FROM shop WHERE note = 'spoiled'"), "0");
    EXPECT_EQ(session.value("SELECT count(*) FROM far"), "20000");
}

TEST_F(DeltaRestore, RefusesWhatIsNoStoppedCopyAndTouchesNothing) {
    const auto refused = [&](const fs::path& folder, const std::string& why, const Words& more = {"--delta"}) {
        SCOPED_TRACE(folder.string());
        const auto before = tree_of(folder);
        Words all{"restore", "--to-backup-end", "--into", folder.string()};
        all.insert(all.end(), more.begin(), more.end());
        for (const bool dry : {true, false}) {
            auto run = all;
            if (dry) run.insert(run.begin(), "--dry-run");
            const auto result = protectee_.howdah(run);
            EXPECT_EQ(result.exit_code, 1) << result.errors;
            EXPECT_NE(result.errors.find(why), std::string::npos) << result.errors;
            EXPECT_NE(result.errors.find("HINT"), std::string::npos) << result.errors;
        }
        EXPECT_EQ(difference(before, tree_of(folder)), "");
    };
    refused(into(), "not empty", {});
    const auto home = protectee_.workspace() / "home";
    fs::create_directory(home);
    base::write_file_durably(home / "letter", "dear");
    own(home);
    own(home / "letter");
    refused(home, "no data directory");
    base::write_file_durably(home / "PG_VERSION", "15\n");
    fs::create_directory(home / "global");
    base::write_file_durably(home / "global" / "pg_control", std::string(8192, 'x'));
    own(home / "global");
    own(home / "global" / "pg_control");
    refused(home, "pg_control");
    {
        auto server = protectee_.start_restored(into());
        const auto result = protectee_.howdah(words("restored", {"--delta"}));
        EXPECT_EQ(result.exit_code, 1);
        EXPECT_NE(result.errors.find("a server runs in"), std::string::npos) << result.errors;
        EXPECT_FALSE(fs::exists(into() / "howdah-unfinished-restore"));
        EXPECT_EQ(open_session(server).value("SELECT count(*) FROM shop"), "30000");
        server.stop();
    }
    postgres::ScratchServer other{postgres::ScratchOptions{}};
    other.stop();
    const auto theirs = protectee_.workspace() / "theirs";
    fs::copy(other.data_directory(), theirs, fs::copy_options::recursive);
    base::run_process_checked("chown", {"chown", "-R", protectee_user().name, theirs.string()}, {});
    refused(theirs, "another cluster");
    fs::rename(protectee_.key_file(), into() / "repository.key");
    protectee_.set_config("repository.main.key_file", "\"" + (into() / "repository.key").string() + "\"");
    refused(into(), "holds what the backup does not");
}

TEST_F(DeltaRestore, ALinkIntoTheRunningServersTablespaceIsRefused) {
    const auto link = fs::directory_iterator(into() / "pg_tblspc")->path();
    fs::remove(link);
    fs::create_directory_symlink(protectee_.workspace() / "space", link);
    own(link);
    const auto before = tree_of(protectee_.workspace() / "space");
    const auto result = protectee_.howdah(words("restored", {"--delta"}));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("in use by the server"), std::string::npos) << result.errors;
    EXPECT_EQ(difference(before, tree_of(protectee_.workspace() / "space")), "");
    protectee_.server().stop();
    const auto stopped = protectee_.howdah(words("restored", {"--delta"}));
    EXPECT_EQ(stopped.exit_code, 1) << "a configured cluster's tablespace is its own even while it is stopped";
    EXPECT_NE(stopped.errors.find("tablespace"), std::string::npos) << stopped.errors;
    protectee_.server().start();
}

TEST_F(DeltaRestore, AFileFullOfZerosIsClearedOfWhatLiesInIt) {
    auto session = protectee_.session();
    session.script("CREATE TABLE hollow(id int)");
    const auto file = session.value("SELECT pg_relation_filepath('hollow')");
    fs::resize_file(protectee_.server().data_directory() / file, 40u << 20);
    backup_ = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
    protectee_.howdah_ok(words("restored", {"--delta"}));
    struct stat facts{};
    ASSERT_EQ(::stat((into() / file).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_size, 40 << 20);
    EXPECT_LT(facts.st_blocks * 512, 1 << 20) << "no hole";
    const auto open = base::File::open(into() / file, O_RDWR);
    open.write_at(base::as_bytes(std::string(9000, 'd')), 20u << 20);
    open.write_at(base::as_bytes(std::string(10, 'd')), (40u << 20) - 10);
    const auto result = protectee_.howdah_json(words("restored", {"--delta"}));
    EXPECT_GT(result["bytes_rewritten"], 0);
    EXPECT_EQ(base::read_file(into() / file, {64u << 20}), std::string(40u << 20, '\0'));
}

TEST_F(DeltaRestore, TheLimitIsKeptAndNonsenseRefused) {
    for (const char* limit : {"0", "-5", "fast", "5MB", "1e9"})
        EXPECT_EQ(protectee_.howdah(words("limited", {"--limit=" + std::string(limit)})).exit_code, 2) << limit;
    EXPECT_FALSE(fs::exists(protectee_.workspace() / "limited"));
    const auto space = "one=" + (protectee_.workspace() / "limited-space").string();
    const auto start = std::chrono::steady_clock::now();
    const auto result = protectee_.howdah_json(words("limited", {"--limit", "20", "--tablespace", space}));
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    EXPECT_GE(seconds, (result["plan"]["bytes"].get<double>() / 20e6 - 0.2) * 0.9);
    EXPECT_GT(result["bytes_rewritten"], 0);
}

}  // namespace
}  // namespace howdah::tests
