// The last segment of a lost server, on a host where its process number is another program's, and settings in no known encoding.
#include <signal.h>
#include <sys/wait.h>

#include <fstream>

#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;

class Rescue : public test::ArchiveScenario {};

TEST_F(Rescue, AnotherProgramWithTheServersNumberIsNoServer) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    postgres::Session asking = session();
    asking.query("SELECT pg_logical_emit_message(true, 'test', repeat('x', 2000))");
    asking.query("CHECKPOINT");
    const std::string name = asking.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    const fs::path lost = work_ / "lost";
    fs::create_directories(lost / "pg_wal" / "archive_status");
    fs::create_directories(lost / "global");
    fs::copy_file(pg_wal() / name, lost / "pg_wal" / name);
    fs::copy_file(data() / "global" / "pg_control", lost / "global" / "pg_control");
    // Of this very test, and a socket at which another server answers.
    base::write_file_durably(lost / "postmaster.pid", fmt::format("{}\n{}\n1700000000\n{}\n{}\n\n", ::getpid(), lost.string(),
                                                                  asking.value("SHOW port"), asking.value("SHOW unix_socket_directories")));
    for (const auto& entry : fs::recursive_directory_iterator(lost)) give(entry.path());
    give(lost);
    const auto stored = howdah({"wal", "push", "--unfinished", (lost / "pg_wal" / name).string()});
    EXPECT_EQ(stored.exit_code, 0) << stored.errors;
    EXPECT_TRUE(archived(name));
}

TEST_F(Rescue, ARunningServerIsSeenAndItsFileNamed) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const std::string name = session().value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    const auto refused = howdah({"wal", "push", "--unfinished", "pg_wal/" + name});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.errors.find((data() / "postmaster.pid").string()), std::string::npos) << refused.errors;
    EXPECT_FALSE(archived(name));

    // As from another pid namespace: the number says nothing here, the socket answers and its lock file is the server's own.
    const std::string text = base::read_file(data() / "postmaster.pid");
    const pid_t gone = ::fork();
    if (gone == 0) ::_exit(0);
    ::waitpid(gone, nullptr, 0);
    const auto moved = [&](const fs::path& file) {
        const std::string old = base::read_file(file);
        base::write_file_durably(file, std::to_string(gone) + old.substr(old.find('\n')));
        give(file);
    };
    const fs::path lock =
        fs::path(session().value("SHOW unix_socket_directories")) / (".s.PGSQL." + session().value("SHOW port") + ".lock");
    const std::string lock_text = base::read_file(lock);
    moved(data() / "postmaster.pid");
    moved(lock);
    const auto hidden = howdah({"wal", "push", "--unfinished", "pg_wal/" + name});
    base::write_file_durably(data() / "postmaster.pid", text);
    base::write_file_durably(lock, lock_text);
    give(data() / "postmaster.pid");
    give(lock);
    EXPECT_EQ(hidden.exit_code, 1);
    EXPECT_FALSE(archived(name));
}

TEST_F(Rescue, ASettingThatIsNotUtf8SurvivesSetupAndUndo) {
    auto scratch = options();
    scratch.settings.erase("archive_command");
    ASSERT_NO_FATAL_FAILURE(begin(scratch));
    const std::string foreign = "/bin/false '/m\xfcnster/%f'";
    {
        std::ofstream settings(data() / "postgresql.conf", std::ios::app);
        settings << "\narchive_command = '/bin/false ''/m\xfcnster/%f'''\n";
    }
    const auto in_force = [&] { return session().value("SELECT setting FROM pg_settings WHERE name = 'archive_command'"); };
    const auto reload = [&] { session().query("SELECT pg_reload_conf()"); };
    const auto await = [&](bool wanted) {
        for (int turn = 0; turn < 2000 && (in_force() == foreign) != wanted; ++turn) ::usleep(5000);
        EXPECT_EQ(in_force() == foreign, wanted) << in_force();
    };
    reload();
    await(true);
    const auto forced = howdah({"wal", "setup", "--force", "--wait", "0"});
    EXPECT_EQ(forced.errors.find("type_error"), std::string::npos) << forced.errors;
    await(false);
    const auto undone = howdah({"wal", "setup", "--undo"});
    EXPECT_EQ(undone.exit_code, 0) << undone.errors;
    await(true);
}

TEST_F(Rescue, AlwaysThatWaitsForARestartIsKept) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    {
        postgres::Session asking = session();
        asking.query("ALTER SYSTEM SET archive_mode = 'always'");
        asking.query("ALTER SYSTEM SET archive_command = ''");
        asking.query("SELECT pg_reload_conf()");
    }
    const auto set = howdah({"wal", "setup", "--force"});
    EXPECT_EQ(set.exit_code, 0) << set.errors;
    EXPECT_NE(set.output.find("'always' after the next restart"), std::string::npos) << set.output;
    server_->restart();
    EXPECT_EQ(session().value("SHOW archive_mode"), "always");
}

}  // namespace
}  // namespace howdah::archive
