#include "base/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::base {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

ProcessResult shell(const std::string& script, const ProcessOptions& options = {}, const Cancellation& cancellation = {}) {
    return run_process({"sh", "-c", script}, options, cancellation);
}

/// Waits up to ten seconds for a condition.
template <typename Condition>
bool soon(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline) {
        if (condition()) return true;
        std::this_thread::sleep_for(2ms);
    }
    return false;
}

TEST(RunProcess, CapturesBothOutputsAndTheExitCode) {
    const ProcessResult result = shell("echo out; echo err >&2; exit 7");
    EXPECT_EQ(result.exit_code, 7);
    EXPECT_EQ(result.output, "out\n");
    EXPECT_EQ(result.errors, "err\n");
}

TEST(RunProcess, DoesNotBlockOnLargeOutputs) {
    const ProcessResult result = shell("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero");
    EXPECT_EQ(result.output.size(), 3'000'000u);
    EXPECT_EQ(result.errors.size(), 3'000'000u);
}

TEST(RunProcess, GivesLargeInput) {
    ProcessOptions options;
    options.input.assign(2'000'000, 'x');
    EXPECT_EQ(run_process({"wc", "-c"}, options).output, "2000000\n");
    EXPECT_EQ(run_process({"true"}, options).exit_code, 0);
    EXPECT_EQ(run_process({"cat"}).output, "");
}

TEST(RunProcess, TellsTheSignalThatEndedIt) { EXPECT_EQ(shell("kill -TERM $$").exit_code, 128 + SIGTERM); }

TEST(RunProcess, PassesArgumentsAsTheyAre) { EXPECT_EQ(run_process({"printf", "%s|", "a b", "$HOME", "'", ""}).output, "a b|$HOME|'||"); }

TEST(RunProcess, ChangesEnvironmentAndFolder) {
    const TemporaryDirectory folder("process-test");
    ProcessOptions options;
    options.environment = {{"HOWDAH_TEST_A", "1"}, {"HOME", ""}};
    options.working_directory = folder.path();
    EXPECT_EQ(shell("echo $HOWDAH_TEST_A ${HOME-none}; pwd", options).output, "1 none\n" + folder.path().string() + "\n");
}

TEST(RunProcess, AppendsToAFile) {
    const TemporaryDirectory folder("process-test");
    ProcessOptions options;
    options.output_file = folder.path() / "log";
    shell("echo one", options);
    shell("echo two >&2", options);
    EXPECT_EQ(read_file(folder.path() / "log"), "one\ntwo\n");
}

TEST(RunProcess, FailsWhenItCannotStart) {
    EXPECT_THROW(run_process({"/nonexistent/program"}), SystemFailure);
    EXPECT_THROW(run_process({"howdah-no-such-program"}), SystemFailure);
    EXPECT_THROW(run_process({}), Failure);
    ProcessOptions options;
    options.working_directory = "/nonexistent";
    EXPECT_THROW(run_process({"true"}, options), SystemFailure);
}

TEST(RunProcess, LeavesNoDescriptorsToTheProgram) {
    const int leaked = ::open("/dev/null", O_RDONLY);
    EXPECT_EQ(run_process({"sh", "-c", "test -e /proc/self/fd/" + std::to_string(leaked)}).exit_code, 1);
    ::close(leaked);
}

TEST(RunProcess, StartsWithDefaultSignals) {
    struct sigaction before{};
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before);
    const ProcessResult result = run_process({"grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"});
    ::sigaction(SIGPIPE, &before, nullptr);
    EXPECT_EQ(result.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

/// A script that notes its own background child's pid in a file and then hangs.
std::string hang_with_child(const fs::path& note) {
    return "sleep 600 & echo $! > " + note.string() + ".new; mv " + note.string() + ".new " + note.string() + "; wait";
}

pid_t noted_pid(const fs::path& note) { return std::stoi(read_file(note)); }

TEST(RunProcess, KillsTheWholeGroupAtTheTimeout) {
    const TemporaryDirectory folder("process-test");
    ProcessOptions options;
    options.timeout = 300ms;
    const auto start = std::chrono::steady_clock::now();
    try {
        shell(hang_with_child(folder.path() / "pid"), options);
        ADD_FAILURE() << "it ended";
    } catch (const Failure& failure) {
        EXPECT_STREQ(failure.what(), "sh did not end: killed after 300 ms");
    }
    EXPECT_GE(std::chrono::steady_clock::now() - start, 300ms);
    EXPECT_TRUE(soon([pid = noted_pid(folder.path() / "pid")] { return !process_start_ticks(pid); }));
}

TEST(RunProcess, IsStoppedByACancellation) {
    const TemporaryDirectory folder("process-test");
    Cancellation cancellation;
    const fs::path note = folder.path() / "pid";
    std::thread stopper([&] {
        soon([&] { return fs::exists(note); });
        cancellation.request();
    });
    EXPECT_THROW(shell(hang_with_child(note), {}, cancellation), Cancelled);
    stopper.join();
    EXPECT_TRUE(soon([pid = noted_pid(note)] { return !process_start_ticks(pid); }));
    EXPECT_THROW(run_process({"true"}, {}, cancellation), Cancelled);
}

TEST(RunProcess, DoesNotWaitForADaemonThatHoldsTheOutputs) {
    const auto start = std::chrono::steady_clock::now();
    const ProcessResult result = shell("echo started; setsid sleep 600 & echo $!");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 60s);
    ASSERT_TRUE(result.output.starts_with("started\n"));
    const pid_t daemon = std::stoi(result.output.substr(8));
    EXPECT_TRUE(process_start_ticks(daemon));
    ::kill(daemon, SIGKILL);
}

TEST(ProcessIdentity, ToldWhenItHasEnded) {
    const auto own = process_start_ticks(::getpid());
    ASSERT_TRUE(own);
    EXPECT_FALSE(process_has_ended(::getpid(), *own));
    EXPECT_TRUE(process_has_ended(::getpid(), *own + 1));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(process_has_ended(child, 0)) << "not yet reaped";
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(process_has_ended(child, 0));
}

/// A parent that is killed by kill -9 while its program runs; the program's pid ends up in the note.
void kill_a_parent(const fs::path& note, const ProcessOptions& options) {
    const pid_t parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        try {
            shell("echo $$ > " + note.string() + ".new; mv " + note.string() + ".new " + note.string() + "; exec sleep 600", options);
        } catch (const std::exception&) {
        }
        ::_exit(0);
    }
    EXPECT_TRUE(soon([&] { return fs::exists(note); }));
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
}

TEST(RunProcess, DiesWithAKilledParent) {
    const TemporaryDirectory folder("process-test");
    kill_a_parent(folder.path() / "pid", {});
    EXPECT_TRUE(soon([pid = noted_pid(folder.path() / "pid")] { return !process_start_ticks(pid); }));
}

TEST(RunProcess, DiesWithAKilledParentAsAnotherUserToo) {
    const auto nobody = find_user("nobody");
    if (::geteuid() != 0 || !nobody) GTEST_SKIP() << "only root can run as another user";
    const TemporaryDirectory folder("process-test");
    fs::permissions(folder.path(), fs::perms::all);
    ProcessOptions options;
    options.user = nobody;
    kill_a_parent(folder.path() / "pid", options);
    EXPECT_TRUE(soon([pid = noted_pid(folder.path() / "pid")] { return !process_start_ticks(pid); }));
}

TEST(RunProcess, OutlivesItsParentWhenAsked) {
    const TemporaryDirectory folder("process-test");
    ProcessOptions options;
    options.die_with_parent = false;
    kill_a_parent(folder.path() / "pid", options);
    const pid_t orphan = noted_pid(folder.path() / "pid");
    EXPECT_TRUE(process_start_ticks(orphan));
    ::kill(orphan, SIGKILL);
}

TEST(RunProcess, RunsAsAnotherUser) {
    const auto nobody = find_user("nobody");
    if (::geteuid() != 0 || !nobody) GTEST_SKIP() << "only root can run as another user";
    ProcessOptions options;
    options.user = nobody;
    EXPECT_EQ(shell("id -un; echo $USER $HOME; grep ^Groups /proc/self/status", options).output,
              "nobody\nnobody " + nobody->home.string() + "\nGroups:\t" + std::to_string(nobody->gid) + " \n");
}

TEST(RunProcess, WorksFromManyThreads) {
    std::atomic<int> right{0};
    {
        std::vector<std::jthread> threads;
        for (int number = 0; number < 4; ++number)
            threads.emplace_back([&right, number] {
                for (int round = 0; round < 5; ++round) right += shell("exit " + std::to_string(number)).exit_code == number;
            });
    }
    EXPECT_EQ(right, 20);
}

TEST(RunProcessChecked, SaysTheLastLinesOfTheErrors) {
    try {
        run_process_checked("initdb", {"sh", "-c", "echo one >&2; echo >&2; echo 'two password=secret' >&2; exit 3"});
        ADD_FAILURE() << "it succeeded";
    } catch (const Failure& failure) {
        EXPECT_STREQ(failure.what(), "initdb failed: exit code 3: one; two password=***");
    }
}

TEST(Become, IsForGood) {
    const auto nobody = find_user("nobody");
    if (::geteuid() != 0 || !nobody) GTEST_SKIP() << "only root can become another user";
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            become(*nobody);
            become(*nobody);
            const bool right = ::geteuid() == nobody->uid && ::getegid() == nobody->gid && ::setuid(0) != 0 &&
                               current_user().name == "nobody" && std::string(::getenv("HOME")) == nobody->home.string();
            ::_exit(right ? 0 : 1);
        } catch (const std::exception&) {
            ::_exit(2);
        }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(Become, NeedsRoot) {
    const auto nobody = find_user("nobody");
    const auto daemon = find_user("daemon");
    if (::geteuid() != 0 || !nobody || !daemon) GTEST_SKIP() << "needs root to start with";
    const pid_t child = ::fork();
    if (child == 0) {
        become(*nobody);
        try {
            become(*daemon);
        } catch (const Failure& failure) {
            ::_exit(failure.hint().empty() ? 1 : 0);
        }
        ::_exit(2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(Users, AreFoundByNameAndByOwnership) {
    EXPECT_FALSE(find_user("no-such-user-here"));
    EXPECT_EQ(find_user("root")->uid, 0u);
    EXPECT_EQ(owner_of("/etc/passwd").name, "root");
    EXPECT_THROW(owner_of("/nonexistent"), SystemFailure);
}

TEST(ProcessIdentity, NamesALivingProcess) {
    EXPECT_TRUE(process_start_ticks(::getpid()));
    EXPECT_EQ(process_start_ticks(::getpid()), process_start_ticks(::getpid()));
    EXPECT_GT(process_start_ticks(::getpid()), process_start_ticks(1));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    EXPECT_TRUE(soon([child] { return !process_start_ticks(child); })) << "a dead process that is not reaped yet counts as living";
    ::waitpid(child, nullptr, 0);
    EXPECT_FALSE(process_start_ticks(child));
    EXPECT_EQ(boot_identifier().size(), 36u);
    EXPECT_FALSE(host_name().empty());
    EXPECT_EQ(own_binary(), fs::canonical("/proc/self/exe"));
}

TEST(ShellQuote, SurvivesTheShell) {
    const std::vector<std::string> words = {"printf", "%s|", "plain", "a b", "it's", "", "$x`y`\\", "*", "~", "--key=value", "\n"};
    std::string expected;
    for (std::size_t i = 2; i < words.size(); ++i) expected += words[i] + "|";
    EXPECT_EQ(shell(shell_quote(words)).output, expected);
    EXPECT_EQ(shell_quote({"/usr/bin/howdah", "--config", "/etc/howdah.toml"}), "/usr/bin/howdah --config /etc/howdah.toml");
    EXPECT_EQ(shell(shell_quote(std::vector<std::string>{"A=b"})).exit_code, 127);
}

}  // namespace
}  // namespace howdah::base
