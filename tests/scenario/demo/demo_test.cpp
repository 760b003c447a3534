// The demo is the promise of the README: from nothing to a proven restore, and honest when the restore is not right.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.hpp"
#include "base/process.hpp"
#include "postgres/session.hpp"
#include "support/programs.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

base::ProcessResult run_demo(const std::map<std::string, std::string>& environment = {}) {
    base::ProcessOptions options;
    options.environment = environment;
    options.timeout = std::chrono::minutes(5);
    return base::run_process({howdah_hooks_program().string(), "demo", "--scale", "0.01", "--output", "json"}, options);
}

TEST(Demo, ProvesARestoreAndTellsItsFigures) {
    const auto result = run_demo();
    ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
    const auto report = nlohmann::json::parse(result.output);
    EXPECT_EQ(report["ok"], true);
    EXPECT_DOUBLE_EQ(report["scale"], 0.01);
    EXPECT_FALSE(report["backup"]["id"].get<std::string>().empty());
    EXPECT_GT(report["backup"]["bytes"], 20'000'000);
    EXPECT_GT(report["backup"]["stored_bytes"], 1'000'000);
    EXPECT_LT(report["backup"]["stored_bytes"], report["backup"]["bytes"]);
    EXPECT_GT(report["backup"]["seconds"], 0.0);
    EXPECT_GT(report["wal"]["segments"], 0);
    EXPECT_GE(report["restore"]["tables_compared"], 80);
    EXPECT_EQ(report["restore"]["tables_equal"], report["restore"]["tables_compared"]);
    EXPECT_LT(report["restore"]["target"].get<std::string>(), report["accident"]["at"].get<std::string>());
    EXPECT_GT(report["rto_seconds"], 0.0);
    EXPECT_GT(report["rpo_seconds"], 0.0);
    EXPECT_GE(report["rpo_loss_seconds"], report["rpo_seconds"]);
}

TEST(Demo, NamesTheTableThatIsNotAsItWas) {
    const base::TemporaryDirectory folder("howdah-demo-test");
    fs::permissions(folder.path(), fs::perms::all);
    const auto pause = folder.path() / "restored";
    base::ProcessResult result;
    std::jthread demo([&] { result = run_demo({{"HOWDAH_TEST_PAUSE", "demo.restored:" + pause.string()}}); });
    while (!fs::exists(pause)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    {
        postgres::Session session(base::read_file(pause));
        EXPECT_EQ(
            session.query("UPDATE marketplace.users SET email = 'changed@example.org' WHERE id = (SELECT min(id) FROM marketplace.users)")
                .affected(),
            1);
    }
    fs::remove(pause);
    demo.join();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("table users differs"), std::string::npos) << result.errors;
    const auto report = nlohmann::json::parse(result.output);
    EXPECT_EQ(report["ok"], false);
    ASSERT_EQ(report["restore"]["differences"].size(), 1u);
    EXPECT_EQ(report["restore"]["differences"][0]["table"], "users");
}

}  // namespace
}  // namespace howdah::tests
