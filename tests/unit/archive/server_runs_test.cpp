#include "archive/server_runs.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/file.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;

class ServerRuns : public testing::Test {
protected:
    ServerRuns() { fs::create_directories(data_); }
    void lock(pid_t pid, const fs::path& sockets = {}) {
        base::write_file_durably(data_ / "postmaster.pid",
                                 fmt::format("{}\n{}\n1700000000\n5432\n{}\n*\n", pid, data_.string(), sockets.string()));
    }
    /// A process that stands in a folder.
    static pid_t stand_in(const fs::path& folder, const char* name = "other") {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            ::prctl(PR_SET_NAME, name);
            if (::chdir(folder.c_str()) != 0 || ::write(ends[1], "x", 1) != 1) ::_exit(1);
            for (;;) ::pause();
        }
        char ready = 0;
        EXPECT_EQ(::read(ends[0], &ready, 1), 1);
        ::close(ends[0]);
        ::close(ends[1]);
        return child;
    }
    static void end(pid_t child) {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }
    base::TemporaryDirectory folder_{"server-runs"};
    fs::path data_ = folder_.path() / "data";
};

TEST_F(ServerRuns, ByTheWorkingDirectoryOfTheProcess) {
    EXPECT_FALSE(server_runs(data_)) << "no lock file";
    lock(::getpid());
    EXPECT_FALSE(server_runs(data_)) << "another program has the number";
    const pid_t server = stand_in(data_);
    lock(server);
    EXPECT_TRUE(server_runs(data_));
    fs::create_directory_symlink(data_, folder_.path() / "link");
    EXPECT_TRUE(server_runs(folder_.path() / "link"));
    lock(-server);
    EXPECT_TRUE(server_runs(data_)) << "a single-user server";
    ::kill(server, SIGKILL);
    siginfo_t ended{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(server), &ended, WEXITED | WNOWAIT), 0);
    lock(server);
    EXPECT_FALSE(server_runs(data_)) << "dead, not yet reaped";
    end(server);
    EXPECT_FALSE(server_runs(data_));
}

TEST_F(ServerRuns, ByAnyServerProcessThatWorksThere) {
    const pid_t gone = stand_in(data_);
    end(gone);
    lock(gone);
    const pid_t shell = stand_in(data_, "bash");
    const pid_t elsewhere = stand_in(folder_.path(), "postgres");
    EXPECT_FALSE(server_runs(data_));
    const pid_t server = stand_in(data_, "postgres");
    EXPECT_TRUE(server_runs(data_)) << "in a container, or left by a killed postmaster";
    for (const pid_t each : {shell, elsewhere, server}) end(each);
    EXPECT_FALSE(server_runs(data_));
}

TEST_F(ServerRuns, ByItsSocketWhenTheProcessIsElsewhere) {
    const pid_t gone = stand_in(data_);
    end(gone);
    lock(gone, folder_.path());
    EXPECT_FALSE(server_runs(data_)) << "no socket";
    const auto socket = folder_.path() / ".s.PGSQL.5432";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    base::File listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listener.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_FALSE(server_runs(data_)) << "nobody listens";
    ASSERT_EQ(::listen(listener.descriptor(), 1), 0);
    EXPECT_TRUE(server_runs(data_));
    base::write_file_durably(socket.string() + ".lock", fmt::format("{}\n/data\n1700000001\n5432\n/tmp\n", gone));
    EXPECT_FALSE(server_runs(data_)) << "the socket is another server's";
    base::write_file_durably(socket.string() + ".lock", fmt::format("{}\n/data\n1700000000\n5432\n/tmp\n", gone));
    EXPECT_TRUE(server_runs(data_));
    listener.close();
    EXPECT_FALSE(server_runs(data_));
}

}  // namespace
}  // namespace howdah::archive
