// --dry-run changes nothing, says what would be done, and with --output json in JSON.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json json_of(const base::ProcessResult& result, int expected = 0) {
    EXPECT_EQ(result.exit_code, expected) << result.output << result.errors;
    auto document = Json::parse(result.output, nullptr, false);
    EXPECT_TRUE(document.is_object()) << result.output;
    EXPECT_EQ(document.value("schema", 0), 1) << result.output;
    return document;
}

TEST(DryRun, IsJsonWhereJsonIsAskedFor) {
    auto& server = shared_server();
    const auto nowhere = (server.workspace() / "nowhere").string();
    const Environment elsewhere{{"HOWDAH_REPOSITORY_MAIN_URL", "file://" + nowhere}};
    for (const auto& words : std::vector<std::vector<std::string>>{{"demo"},
                                                                   {"sample", "load", "--conninfo", "host=/nowhere"},
                                                                   {"sample", "run", "--conninfo", "host=/nowhere"},
                                                                   {"scratch", "start", nowhere},
                                                                   {"scratch", "stop", nowhere}}) {
        auto command = words;
        command.insert(command.end(), {"--dry-run", "--output", "json"});
        const auto document = json_of(run_bare(command));
        EXPECT_TRUE(document.value("dry_run", false)) << document;
        EXPECT_TRUE(document["would"].get<std::string>().starts_with("Would ")) << document;
    }
    EXPECT_TRUE(json_of(server.howdah({"--output", "json", "repo", "init", "--dry-run"}, elsewhere)).contains("would"));
    EXPECT_TRUE(json_of(run_bare({"--config", nowhere + ".toml", "--output", "json", "config", "init", "--dry-run"})).contains("content"));
    EXPECT_FALSE(fs::exists(nowhere));
    EXPECT_FALSE(fs::exists(nowhere + ".toml"));
}

TEST(DryRun, OfABackupHasNothingThatOnlyABackupHas) {
    const auto document = shared_server().howdah_json({"backup", "run", "--dry-run"});
    EXPECT_TRUE(document["dry_run"]);
    for (const char* key :
         {"id", "timeline", "start_lsn", "stop_lsn", "start_time", "stop_time", "first_segment", "last_segment", "stored_bytes", "seconds"})
        EXPECT_TRUE(document["backup"][key].is_null()) << key << ": " << document;
    EXPECT_GT(document["backup"]["files"], 100);
    EXPECT_EQ(shared_server().howdah_json({"backup", "list"})["backups"].size(), 1u);
}

TEST(DryRun, OfRepoInitRefusesWhatTheRunWould) {
    expect_answer(shared_server().howdah({"repo", "init", "--dry-run"}), 1, {"place holds a repository already"});
    expect_answer(shared_server().howdah({"repo", "init"}), 1, {"place holds a repository already"});
}

TEST(DryRun, OfTheSampleNamesServerAndDatabase) {
    const auto& server = shared_server().server();
    const auto said = expect_answer(shared_server().howdah({"sample", "load", "--cluster", "main", "--dry-run"}), 0,
                                    {"into database postgres", fmt::format("port {}", server.port())});
    EXPECT_NE(said.find(server.socket_directory().string()), std::string::npos) << said;
    expect_answer(shared_server().howdah({"sample", "load", "--dry-run"}), 2, {"no server was named", "--conninfo"});
    expect_answer(shared_server().howdah({"sample", "load"}), 2, {"no server was named", "--conninfo"});
    expect_answer(shared_server().howdah({"sample", "run"}), 2, {"no server was named", "--conninfo"});
}

TEST(ConfigShow, GivesEachSettingInJson) {
    const auto document = shared_server().howdah_json({"config", "show"});
    ASSERT_TRUE(document["settings"].is_array());
    bool rpo = false;
    for (const auto& setting : document["settings"]) {
        EXPECT_FALSE(setting["value"].is_discarded()) << setting;
        if (setting["key"] != "objective.rpo") continue;
        rpo = true;
        EXPECT_EQ(setting["value"], "15min");
        EXPECT_EQ(setting["origin"], "default");
    }
    EXPECT_TRUE(rpo) << document;
}

}  // namespace
}  // namespace howdah::tests
