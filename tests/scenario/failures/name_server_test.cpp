// A name server that takes every question and answers none.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "base/file.hpp"
#include "ground.hpp"
#include "support/namespaces.hpp"
#include "support/silent_name_server.hpp"

namespace howdah::tests {
namespace {

TEST(SilentNameServer, IsNotWaitedForBeyondTheDeadline) {
    auto& protectee = shared_server();
    const base::TemporaryDirectory names("howdah-names");
    const std::vector<std::filesystem::path> folders{protectee.server().data_directory(), protectee.repository(), protectee.state()};
    const auto before = look_at(folders);
    std::vector<std::string> command{protectee.binary().string(), "--config", protectee.config_file().string(), "backup", "run"};
    base::ProcessOptions options;
    options.environment = {{"HOWDAH_CLUSTER_MAIN_CONNINFO", "host=db.example.com user=postgres connect_timeout=2"}};
    options.working_directory = "/";
    options.timeout = std::chrono::minutes(2);
    const auto start = std::chrono::steady_clock::now();
    const auto result = run_in_private_space([&] { silence_the_name_server(names.path()); }, command, options, fresh_path("log"));
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
