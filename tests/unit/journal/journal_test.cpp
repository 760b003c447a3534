#include "journal/journal.hpp"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <set>

#include "base/file.hpp"
#include "journal/database.hpp"
#include "memory_folder.hpp"

namespace howdah::journal {
namespace {

using namespace std::chrono_literals;

/// Runs `body` in a process of its own; its exit code is 0 unless it threw. Its standard error goes to `errors` when given.
pid_t start_process(const std::function<void()>& body, const std::filesystem::path& errors = {}) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    if (!errors.empty()) {
        const int file = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
        ::dup2(file, 2);
    }
    try {
        body();
    } catch (...) {
        ::_exit(1);
    }
    ::_exit(0);
}

int wait_for(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

class JournalTest : public testing::Test {
protected:
    void finish_one(const std::string& operation = "backup run") {
        journal_.begin(operation, "main", "store").finish(Outcome::done, "done", R"({"n":1})");
    }

    base::TemporaryDirectory folder_{"journal-test", memory_folder()};
    base::TemporaryDirectory aside_{"journal-test-aside"};
    std::filesystem::path errors_ = aside_.path() / "errors";
    Journal journal_{folder_.path()};
};

TEST_F(JournalTest, an_operation_is_listed_with_start_end_outcome_and_figures) {
    const auto before = std::chrono::system_clock::now() - 1s;
    journal_.begin("backup run", "main", "store").finish(Outcome::failed, "copy failed: disk full", R"({"bytes": 12})");
    journal_.begin("restore", "main", "store").finish(Outcome::refused, "target not empty");
    const auto entries = journal_.list(10);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].operation, "restore");
    EXPECT_EQ(entries[0].outcome, Outcome::refused);
    EXPECT_EQ(entries[1].number, 1U);
    EXPECT_EQ(entries[1].operation, "backup run");
    EXPECT_EQ(entries[1].cluster, "main");
    EXPECT_EQ(entries[1].repository, "store");
    EXPECT_EQ(entries[1].outcome, Outcome::failed);
    EXPECT_EQ(entries[1].message, "copy failed: disk full");
    EXPECT_EQ(entries[1].figures, R"({"bytes": 12})");
    EXPECT_EQ(entries[1].hash.size(), 64U);
    EXPECT_FALSE(entries[1].user.empty());
    EXPECT_FALSE(entries[1].host.empty());
    EXPECT_GE(entries[1].start, before);
    ASSERT_TRUE(entries[1].end);
    EXPECT_GE(*entries[1].end, entries[1].start);
    EXPECT_EQ(journal_.list(1).size(), 1U);
    EXPECT_EQ(journal_.list(10, "backup").size(), 1U);
    EXPECT_EQ(journal_.list(10, "back").size(), 0U);
    EXPECT_TRUE(journal_.verify().empty());
}

TEST_F(JournalTest, no_journal_is_an_empty_one) {
    EXPECT_TRUE(journal_.list(10).empty());
    EXPECT_TRUE(journal_.verify().empty());
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path())) << "reading makes nothing";
}

TEST_F(JournalTest, an_unfinished_operation_is_interrupted_and_a_live_one_runs) {
    {
        const auto dropped = journal_.begin("backup run", "main", "store");
    }
    EXPECT_EQ(journal_.list(1).at(0).outcome, Outcome::interrupted);
    auto live = journal_.begin("backup run", "main", "store");
    EXPECT_EQ(journal_.list(1).at(0).outcome, Outcome::running);
    EXPECT_FALSE(journal_.list(1).at(0).end);
    live.finish(Outcome::done, "done");
    live.finish(Outcome::failed, "twice");
    EXPECT_EQ(journal_.list(1).at(0).outcome, Outcome::done);
    wait_for(start_process([&] {
        auto killed = journal_.begin("restore", "main", "store");
        ::raise(SIGKILL);
    }));
    EXPECT_EQ(journal_.list(1).at(0).outcome, Outcome::interrupted);
    EXPECT_TRUE(journal_.verify().empty());
}

TEST_F(JournalTest, eight_processes_append_fifty_times_to_one_unforked_chain) {
    std::vector<pid_t> processes;
    for (int process = 0; process < 8; ++process)
        processes.push_back(start_process(
            [&] {
                for (int i = 0; i < 25; ++i) finish_one("from " + std::to_string(process));
            },
            errors_));
    for (const auto pid : processes) EXPECT_EQ(wait_for(pid), 0);
    EXPECT_EQ(base::read_file(errors_), "");
    const auto entries = journal_.list(1000);
    EXPECT_EQ(entries.size(), 200U);
    std::set<std::string> hashes;
    for (const auto& entry : entries) {
        EXPECT_EQ(entry.outcome, Outcome::done);
        hashes.insert(entry.hash);
    }
    EXPECT_EQ(hashes.size(), 200U);
    Database database(folder_.path() / "journal.db", 2s);
    EXPECT_EQ(database.integer("SELECT count(*) FROM entry"), 400);
    EXPECT_EQ(database.integer("SELECT max(number) FROM entry"), 400);
    EXPECT_TRUE(journal_.verify().empty());
}

TEST_F(JournalTest, a_kill_at_any_time_leaves_a_readable_chain) {
    finish_one();
    for (int round = 0; round < 20; ++round) {
        const auto target = journal_.list(100000).size() + 2;
        const pid_t pid = start_process([&] {
            while (true) finish_one("killed");
        });
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (journal_.list(target).size() < target && std::chrono::steady_clock::now() < deadline) {
        }
        // Somewhere within the next append, which takes a few milliseconds.
        const auto moment = std::chrono::steady_clock::now() + std::chrono::microseconds(round * 333);
        while (std::chrono::steady_clock::now() < moment) {
        }
        ::kill(pid, SIGKILL);
        wait_for(pid);
        EXPECT_EQ(journal_.verify(), std::vector<std::string>{});
        finish_one("after");
        EXPECT_EQ(journal_.list(1).at(0).operation, "after");
    }
    EXPECT_EQ(journal_.verify(), std::vector<std::string>{});
}

TEST_F(JournalTest, secrets_never_reach_it) {
    const std::string secret = "hunter2secret";
    journal_.begin("backup run", "main", "postgres://u:" + secret + "@h/db")
        .finish(Outcome::failed, "connection failed: host=h password=" + secret, R"({"url":"postgres://u:hunter2secret@h/db"})");
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
        EXPECT_EQ(base::read_file(entry.path()).find(secret), std::string::npos) << entry.path();
}

TEST_F(JournalTest, figures_that_are_no_object_are_left_out) {
    journal_.begin("backup run", "main", "store").finish(Outcome::done, "done", "[1");
    EXPECT_EQ(journal_.list(1).at(0).figures, "{}");
}

TEST_F(JournalTest, files_are_private_unless_the_folder_is_shared) {
    finish_one();
    const auto files = {"journal.db", "journal.db-wal", "journal.db-shm", "journal.head"};
    for (const auto* file : files) EXPECT_EQ(mode_of(folder_.path() / file), 0600U) << file;
    base::TemporaryDirectory shared("journal-test");
    ASSERT_EQ(::chmod(shared.path().c_str(), 02770), 0);
    Journal(shared.path()).begin("backup run", "main", "store").finish(Outcome::done, "done");
    for (const auto* file : files) EXPECT_EQ(mode_of(shared.path() / file), 0660U) << file;
}

TEST_F(JournalTest, users_of_a_shared_folder_write_in_turn) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be several users";
    ASSERT_EQ(::chown(folder_.path().c_str(), 0, 65533), 0);
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0770), 0);
    const gid_t shared = 65533;
    for (const uid_t user : {65531U, 65532U, 65531U}) {
        const pid_t pid = start_process(
            [&] {
                if (::setgroups(1, &shared) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) ::_exit(2);
                finish_one("one of several");
            },
            errors_);
        EXPECT_EQ(wait_for(pid), 0);
        EXPECT_EQ(base::read_file(errors_), "");
    }
    EXPECT_EQ(journal_.list(10).size(), 3U);
    EXPECT_TRUE(journal_.verify().empty());
}

TEST_F(JournalTest, made_by_root_it_belongs_to_the_folders_owner) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    ASSERT_EQ(::chown(folder_.path().c_str(), 65534, 65534), 0);
    finish_one();
    const pid_t pid = start_process(
        [&] {
            if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
            finish_one("as the owner");
        },
        errors_);
    EXPECT_EQ(wait_for(pid), 0);
    EXPECT_EQ(base::read_file(errors_), "");
    finish_one("as root again");
    EXPECT_EQ(journal_.list(10).size(), 3U);
    EXPECT_TRUE(journal_.verify().empty());
}

/// Runs an operation in a process for which the journal cannot be written: it must end well, having warned.
void expect_warning(const std::filesystem::path& folder, const std::filesystem::path& errors, const std::function<void()>& prepare) {
    const pid_t pid = start_process(
        [&] {
            prepare();
            Journal journal(folder);
            auto operation = journal.begin("backup run", "main", "store");
            operation.finish(Outcome::done, "done", R"({"pad":")" + std::string(100000, 'x') + "\"}");
            journal.add_hourly("wal push", "main", 1, base::Bytes{1});
        },
        errors);
    EXPECT_EQ(wait_for(pid), 0);
    EXPECT_NE(base::read_file(errors).find("THE JOURNAL WAS NOT WRITTEN"), std::string::npos) << base::read_file(errors);
}

TEST_F(JournalTest, an_unwritable_folder_warns_and_the_operation_goes_on) {
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0555), 0);
    ASSERT_EQ(::chmod(aside_.path().c_str(), 0777), 0);
    expect_warning(folder_.path(), errors_, [] {
        if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(2);
    });
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
    ::chmod(folder_.path().c_str(), 0700);
}

TEST_F(JournalTest, a_full_disk_warns_and_the_chain_stays_readable) {
    finish_one();
    expect_warning(folder_.path(), errors_, [] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{30000, 30000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    });
    EXPECT_TRUE(journal_.verify().empty());
    finish_one("later");
    EXPECT_EQ(journal_.list(1, "later").size(), 1U);
}

TEST_F(JournalTest, a_file_in_the_folders_place_warns) {
    const auto file = aside_.path() / "state";
    base::write_file_durably(file, "not a folder");
    expect_warning(file, errors_, [] {});
    EXPECT_THROW(Journal(file).list(1), base::Failure);
}

TEST_F(JournalTest, a_corrupted_database_warns_and_cannot_be_read) {
    finish_one();
    Database(folder_.path() / "journal.db", 2s).fold_log();
    base::File::open(folder_.path() / "journal.db", O_WRONLY).write_at(base::as_bytes(std::string(200, 'x')), 0);
    expect_warning(folder_.path(), errors_, [] {});
    EXPECT_THROW(journal_.list(1), base::Failure);
    EXPECT_THROW(journal_.verify(), base::Failure);
}

TEST_F(JournalTest, another_format_is_left_alone) {
    finish_one();
    Database(folder_.path() / "journal.db", 2s).execute("PRAGMA user_version = 2");
    expect_warning(folder_.path(), errors_, [] {});
    try {
        journal_.verify();
        FAIL() << "another format was read";
    } catch (const base::Failure& failure) {
        EXPECT_NE(std::string(failure.what()).find("version 2 instead of 1"), std::string::npos);
        EXPECT_FALSE(failure.hint().empty());
    }
    Database database(folder_.path() / "journal.db", 2s);
    EXPECT_EQ(database.integer("SELECT count(*) FROM entry"), 2);
}

TEST_F(JournalTest, another_database_is_left_alone) {
    base::File::open(folder_.path() / "journal.db", O_WRONLY | O_CREAT);
    Database(folder_.path() / "journal.db", 2s).execute("CREATE TABLE holiday (photo TEXT)");
    expect_warning(folder_.path(), errors_, [] {});
    EXPECT_THROW(journal_.list(1), base::Failure);
}

TEST_F(JournalTest, a_held_lock_costs_two_seconds_and_the_end_is_still_recorded) {
    finish_one();
    testing::internal::CaptureStderr();
    std::optional<Journal::Operation> operation;
    {
        Database other(folder_.path() / "journal.db", 2s);
        Transaction held(other);
        const auto start = std::chrono::steady_clock::now();
        operation.emplace(journal_.begin("restore", "main", "store"));
        EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
    }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("THE JOURNAL WAS NOT WRITTEN"), std::string::npos);
    operation->finish(Outcome::done, "restored");
    const auto entries = journal_.list(10);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].operation, "restore");
    EXPECT_EQ(entries[0].outcome, Outcome::done);
    EXPECT_TRUE(entries[0].end);
    EXPECT_TRUE(journal_.verify().empty());
}

}  // namespace
}  // namespace howdah::journal
