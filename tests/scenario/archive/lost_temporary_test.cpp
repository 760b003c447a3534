// A push that is writing where the file system has no files without a name, and a collector without grace beside it.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <thread>

#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// From here on the kernel answers this process and its children as a file system without O_TMPFILE does. False where it has no filters.
bool deny_unnamed_files() {
    constexpr unsigned kBit = O_TMPFILE & ~O_DIRECTORY;
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kBit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

class LostTemporary : public test::ArchiveScenario {
protected:
    static constexpr int kNoFilter = 99;

    /// Begins a push in a process without unnamed files; it waits before it gives the segment's object its name.
    pid_t begin_push(const std::string& name) const {
        const pid_t child = ::fork();
        if (child != 0) return child;
        if (!deny_unnamed_files()) ::_exit(kNoFilter);
        const auto pushed = howdah({"wal", "push", "pg_wal/" + name},
                                   {{"HOWDAH_FAULT", "none"}, {"HOWDAH_TEST_PAUSE", "storage.before_commit:" + pause()}});
        base::write_file_durably(work_ / "errors", pushed.errors);
        ::_exit(pushed.exit_code);
    }
    std::string pause() const { return (work_ / "pause").string(); }
    /// Whether the push waits at the segment's object; other objects are let through.
    bool waits_at(const std::string& name, pid_t child) const {
        for (;; std::this_thread::sleep_for(std::chrono::milliseconds(2))) {
            const auto note = base::read_file_if_exists(pause());
            if (note && note->find(name) != std::string::npos) return true;
            if (note) fs::remove(pause());
            siginfo_t ended{};
            if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == child) return false;
        }
    }
    static int exit_of(pid_t child) {
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::string temporary() const {
        for (const auto& entry : fs::directory_iterator(repository_folder()))
            if (entry.path().filename().string().starts_with(".tmp-")) return entry.path().filename().string();
        return {};
    }
};

TEST_F(LostTemporary, ThePushFailsAndTheNextOneArchives) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const std::string name = switch_segments(1).front();
    const pid_t child = begin_push(name);
    if (!waits_at(name, child)) {
        const int code = exit_of(child);
        if (code == kNoFilter) GTEST_SKIP() << "no system call filters here";
        FAIL() << "the push ended with " << code << ": " << base::read_file_if_exists(work_ / "errors").value_or("");
    }
    const std::string file = temporary();
    EXPECT_FALSE(file.empty());
    const auto check = json::parse(howdah({"--output", "json", "repo", "check"}).output);
    EXPECT_TRUE(check["ok"]);
    EXPECT_NE(check["leftovers"].dump().find(file), std::string::npos) << check.dump(1);
    EXPECT_EQ(howdah({"repo", "gc"}).exit_code, 0);
    EXPECT_EQ(temporary(), file) << "the usual grace leaves it alone";
    EXPECT_EQ(howdah({"repo", "gc", "--grace", "0"}).exit_code, 0);
    EXPECT_EQ(temporary(), "");
    fs::remove(pause());
    EXPECT_EQ(exit_of(child), 5);
    EXPECT_NE(base::read_file(work_ / "errors").find("run the command again"), std::string::npos) << base::read_file(work_ / "errors");
    EXPECT_FALSE(archived(name));
    EXPECT_EQ(push(name).exit_code, 0);
    expect_archived(name);
    EXPECT_TRUE(json::parse(howdah({"--output", "json", "repo", "check"}).output)["leftovers"].empty());
}

}  // namespace
}  // namespace howdah::archive
