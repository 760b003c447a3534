#include "postgres/scratch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include "base/file.hpp"
#include "postgres/crash.hpp"
#include "postgres/session.hpp"

namespace howdah::postgres {
namespace {

namespace fs = std::filesystem;

template <typename Condition>
bool eventually(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

pid_t postmaster_of(const fs::path& data_directory) { return std::stoi(base::read_file(data_directory / "postmaster.pid")); }

std::string system_identifier(const ScratchServer& server) {
    return Session(server.conninfo()).value("SELECT system_identifier FROM pg_control_system()");
}

TEST(Scratch, TwoAtOnceAreTwoClustersAndLeaveNothing) {
    fs::path first_root, second_root;
    pid_t first_postmaster = 0;
    {
        const ScratchServer first(ScratchOptions{});
        const ScratchServer second(ScratchOptions{});
        first_root = first.socket_directory().parent_path();
        second_root = second.socket_directory().parent_path();
        first_postmaster = postmaster_of(first.data_directory());
        EXPECT_NE(system_identifier(first), system_identifier(second));
        struct stat status{};
        ASSERT_EQ(::stat(first_root.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0700U);
        EXPECT_EQ(status.st_uid, first.user().uid);
        EXPECT_NE(first.user().uid, 0U);
    }
    EXPECT_FALSE(fs::exists(first_root));
    EXPECT_FALSE(fs::exists(second_root));
    EXPECT_FALSE(process_runs(first_postmaster));
}

TEST(Scratch, TakesSettingsChecksumsAndSegmentSize) {
    ScratchOptions options;
    options.checksums = false;
    options.wal_segment_mib = 1;
    options.settings = {{"archive_mode", "on"}, {"archive_command", "test 'a\\b' = x"}, {"wal_level", "logical"}};
    const ScratchServer server(options);
    Session session(server.conninfo());
    EXPECT_EQ(session.value("SHOW data_checksums"), "off");
    EXPECT_EQ(session.value("SHOW wal_segment_size"), "1MB");
    EXPECT_EQ(session.value("SHOW archive_command"), "test 'a\\b' = x");
    EXPECT_EQ(session.value("SHOW wal_level"), "logical");
    EXPECT_EQ(session.value("SHOW fsync"), "on");
    EXPECT_EQ(session.value("SHOW server_encoding"), "UTF8");
    EXPECT_EQ(session.value("SHOW listen_addresses"), "");
}

TEST(Scratch, KeepsCommittedRowsOverKillAndRestart) {
    ScratchServer server(ScratchOptions{});
    Session(server.conninfo()).script("CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS n");
    const pid_t before = postmaster_of(server.data_directory());
    server.kill();
    EXPECT_FALSE(server.running());
    EXPECT_FALSE(process_runs(before));
    server.start();
    EXPECT_EQ(Session(server.conninfo()).value("SELECT count(*) FROM public.t"), "1000");
    server.restart();
    EXPECT_EQ(Session(server.conninfo()).value("SELECT count(*) FROM public.t"), "1000");
    server.stop("immediate");
    EXPECT_FALSE(server.running());
    EXPECT_THROW(server.stop("slowly"), base::Failure);
}

TEST(Scratch, AdoptsADirectoryAndLeavesItUnchanged) {
    const base::TemporaryDirectory place("howdah-adopt");
    ASSERT_EQ(::chmod(place.path().c_str(), 0755), 0);
    const fs::path data = place.path() / "data";
    std::string identifier;
    {
        ScratchOptions options;
        options.directory = data;
        ScratchServer made(options);
        identifier = system_identifier(made);
        made.stop();
    }
    ASSERT_TRUE(fs::exists(data / "PG_VERSION"));
    // A restored configuration names places and rules of the original.
    const std::string configuration = "data_directory = '/nonexistent'\nhba_file = '/nonexistent'\nexternal_pid_file = '/nonexistent'\n";
    base::File::open(data / "postgresql.auto.conf", O_WRONLY | O_TRUNC).append(base::as_bytes(configuration));
    {
        ScratchOptions options;
        options.directory = data;
        options.settings = {{"archive_mode", "on"}, {"archive_command", "/bin/true"}};
        const ScratchServer adopted = ScratchServer::adopt(options);
        EXPECT_EQ(system_identifier(adopted), identifier);
        EXPECT_EQ(Session(adopted.conninfo()).value("SHOW archive_command"), "/bin/true");
        EXPECT_EQ(adopted.user().uid, base::owner_of(data).uid);
    }
    EXPECT_TRUE(fs::exists(data / "PG_VERSION"));
    EXPECT_FALSE(fs::exists(data / "postmaster.pid"));
    EXPECT_EQ(base::read_file(data / "postgresql.auto.conf"), configuration);
}

TEST(Scratch, ListensOnTcpOnlyWithThePassword) {
    ScratchOptions options;
    options.listen_tcp = true;
    const ScratchServer server(options);
    EXPECT_EQ(Session(server.tcp_conninfo()).value("SELECT 1"), "1");
    const std::string without = "host=127.0.0.1 user=postgres dbname=postgres passfile=/nonexistent port=" + std::to_string(server.port());
    EXPECT_THROW(Session{without}, ServerFailure);
    struct stat status{};
    ASSERT_EQ(::stat((server.socket_directory().parent_path() / "passfile").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(Scratch, TellsTheLogWhenTheServerDoesNotComeUp) {
    ScratchOptions options;
    options.settings = {{"wal_level", "nonsense"}};
    try {
        const ScratchServer server(options);
        FAIL() << "it started";
    } catch (const base::Failure& failure) {
        EXPECT_NE(std::string(failure.what()).find("nonsense"), std::string::npos) << failure.what();
    }
}

TEST(Scratch, RunsProgramsAsTheServersUser) {
    ScratchServer server(ScratchOptions{});
    const auto result = server.run("psql", {"-XAtc", "SELECT current_user", "postgres"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(result.output, "postgres\n");
}

TEST(Scratch, ADetachedServerOutlivesItsOwner) {
    const base::TemporaryDirectory place("howdah-detached");
    ASSERT_EQ(::chmod(place.path().c_str(), 0755), 0);
    ScratchOptions options;
    options.directory = place.path() / "data";
    options.detached = true;
    const pid_t owner = ::fork();
    if (owner == 0) {
        try {
            const ScratchServer server(options);
            base::write_file_durably(place.path() / "conninfo", server.conninfo());
        } catch (const std::exception&) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(owner, &status, 0);
    ASSERT_EQ(status, 0);
    const std::string conninfo = base::read_file(place.path() / "conninfo");
    const pid_t postmaster = postmaster_of(options.directory);
    EXPECT_EQ(Session(conninfo).value("SELECT 1"), "1");
    const auto root = fs::path(Session(conninfo).value("SHOW unix_socket_directories")).parent_path();
    ::kill(postmaster, SIGINT);
    EXPECT_TRUE(eventually([&] { return !process_runs(postmaster); }));
    EXPECT_TRUE(fs::exists(root));
    fs::remove_all(root);
}

TEST(Scratch, AKillDuringInitdbLeavesNoFolder) {
    const base::TemporaryDirectory place("howdah-killed");
    ASSERT_EQ(::chmod(place.path().c_str(), 0755), 0);
    const pid_t owner = ::fork();
    if (owner == 0) {
        ::setenv("TMPDIR", place.path().c_str(), 1);
        try {
            const ScratchServer server(ScratchOptions{});
            while (true) ::pause();
        } catch (const std::exception&) {
        }
        ::_exit(1);
    }
    const auto folders = [&] { return std::distance(fs::directory_iterator(place.path()), fs::directory_iterator()); };
    const auto under_way = [&] {
        for (const auto& folder : fs::directory_iterator(place.path())) {
            if (fs::exists(folder.path() / "data" / "base" / "1")) return true;
        }
        return false;
    };
    EXPECT_TRUE(eventually(under_way));
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return folders() == 0; }));
}

/// The owner is a process of its own that prints nothing, makes a server, forks a sleeping child (which inherits every descriptor), and
/// waits to be killed.
struct Owner {
    pid_t pid = -1;
    base::File report, output;

    Owner() {
        std::array<int, 2> report_ends{}, output_ends{};
        if (::pipe2(report_ends.data(), O_CLOEXEC) != 0 || ::pipe2(output_ends.data(), O_CLOEXEC) != 0) std::abort();
        pid = ::fork();
        if (pid == 0) live(report_ends[1], output_ends[1]);
        ::close(report_ends[1]);
        ::close(output_ends[1]);
        report = base::File(report_ends[0]);
        output = base::File(output_ends[0]);
    }

    [[noreturn]] static void live(int report, int output) {
        ::dup2(output, STDOUT_FILENO);
        ::dup2(output, STDERR_FILENO);
        ::close(output);
        try {
            const ScratchServer server(ScratchOptions{});
            const pid_t bystander = ::fork();
            if (bystander == 0) {
                ::close(report);
                ::close(STDOUT_FILENO);
                ::close(STDERR_FILENO);
                while (true) ::pause();
            }
            const std::string text = server.socket_directory().parent_path().string() + "\n" +
                                     std::to_string(postmaster_of(server.data_directory())) + "\n" + std::to_string(bystander) + "\n";
            base::File(report).append(base::as_bytes(text));
            while (true) ::pause();
        } catch (const std::exception&) {
        }
        ::_exit(1);
    }
};

std::string read_to_end(const base::File& file) {
    std::string text;
    std::array<char, 512> buffer{};
    while (true) {
        const ssize_t got = ::read(file.descriptor(), buffer.data(), buffer.size());
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

TEST(Scratch, DiesWithAnOwnerThatIsKilled) {
    const Owner owner;
    std::istringstream report(read_to_end(owner.report));
    std::string root;
    pid_t postmaster = 0, bystander = 0;
    report >> root >> postmaster >> bystander;
    ASSERT_GT(bystander, 0) << read_to_end(owner.output);
    EXPECT_TRUE(process_runs(postmaster));
    ::kill(owner.pid, SIGKILL);
    ::waitpid(owner.pid, nullptr, 0);
    // Nobody of the server keeps the owner's output open, so its end is seen at once.
    EXPECT_EQ(read_to_end(owner.output), "");
    EXPECT_TRUE(eventually([&] { return !process_runs(postmaster) && !fs::exists(root); }));
    EXPECT_TRUE(process_runs(bystander));
    ::kill(bystander, SIGKILL);
}

}  // namespace
}  // namespace howdah::postgres
