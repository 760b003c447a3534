// A name server that takes every question and answers none.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "base/file.hpp"
#include "ground.hpp"
#include "support/namespaces.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// The socket swallows questions for as long as the process lives; the kernel takes them and nobody reads.
void silence_the_name_server(const fs::path& resolver, const fs::path& order) {
    const int handle = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (handle < 0 || ::bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("port 53 of the private network");
    // Without the file the resolver asks 127.0.0.1 anyway.
    std::error_code error;
    const auto place = fs::canonical("/etc/resolv.conf", error);
    if (!error) mount_over(resolver, place);
    if (fs::exists("/etc/nsswitch.conf")) mount_over(order, "/etc/nsswitch.conf");
}

TEST(SilentNameServer, IsNotWaitedForBeyondTheDeadline) {
    auto& protectee = shared_server();
    const auto resolver = fresh_path("resolv.conf");
    const auto order = fresh_path("nsswitch.conf");
    base::write_file_durably(resolver, "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n", 0644);
    base::write_file_durably(order, "passwd: files\ngroup: files\nhosts: files dns\n", 0644);
    const std::vector<fs::path> folders{protectee.server().data_directory(), protectee.repository(), protectee.state()};
    const auto before = look_at(folders);
    std::vector<std::string> command{protectee.binary().string(), "--config", protectee.config_file().string(), "backup", "run"};
    base::ProcessOptions options;
    options.environment = {{"HOWDAH_CLUSTER_MAIN_CONNINFO", "host=db.example.com user=postgres connect_timeout=2"}};
    options.working_directory = "/";
    options.timeout = std::chrono::minutes(2);
    const auto start = std::chrono::steady_clock::now();
    const auto result = run_in_private_space([&] { silence_the_name_server(resolver, order); }, command, options, fresh_path("log"));
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!result.impossible.empty()) GTEST_SKIP() << result.impossible;
    EXPECT_EQ(result.exit_code, 4) << result.output;
    EXPECT_NE(result.output.find("db.example.com"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("HINT: check the host's name servers"), std::string::npos) << result.output;
    EXPECT_LT(seconds, 20) << "the system's resolver alone would take 150 s";
    EXPECT_EQ(difference(before, look_at(folders)), "");
}

}  // namespace
}  // namespace howdah::tests
