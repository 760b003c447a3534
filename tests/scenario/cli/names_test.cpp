// Clusters, repositories and journals that are not there: told, never an empty answer.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

TEST(Names, OfClustersThatNobodyKnows) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"backup", "list"}, {"backup", "verify"}, {"backup", "status"}, {"backup", "run"}, {"wal", "status"}, {"check"}}) {
        auto command = words;
        command.insert(command.begin(), {"--cluster", "two"});
        expect_answer(shared_server().howdah(command), 3, {"no such cluster: two", "main"});
    }
    const Environment two{{"HOWDAH_CLUSTER_TWO_CONNINFO", "host=/nowhere"}};
    expect_answer(shared_server().howdah({"--cluster", "two", "backup", "list"}, two), 0,
                  {"No backups of cluster two yet", "also knows: main"});
}

TEST(Names, LeftOutWhereThereAreSeveral) {
    const Environment two{{"HOWDAH_CLUSTER_TWO_CONNINFO", "host=/nowhere"}};
    for (const auto& words : std::vector<std::vector<std::string>>{{"backup", "run"}, {"backup", "status"}, {"check"}, {"wal", "status"}})
        expect_answer(shared_server().howdah(words, two), 2, {"no cluster was named: there are main, two", "--cluster NAME"});
}

TEST(Names, OfRepositoriesThatAreNone) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"backup", "list"}, {"wal", "setup", "--undo", "--dry-run"}, {"repo", "info"}}) {
        auto command = words;
        command.insert(command.end(), {"--repository", "nope"});
        expect_answer(shared_server().howdah(command), 3, {"no such repository: nope", "configured: main"});
    }
}

TEST(Names, OfJournalEntries) {
    auto& server = shared_server();
    expect_answer(server.howdah({"journal", "list"}), 0, {"backup run"});
    expect_answer(server.howdah({"journal", "list", "--operation", "nosuch"}), 0,
                  {"has no entry of operation nosuch", server.state().string()});
    expect_answer(server.howdah({"journal", "list", "--limit", "0"}), 2, {"--limit"});
    expect_answer(server.howdah({"journal", "list", "--limit", "-1"}), 2, {"--limit"});
    const auto empty = server.workspace() / "empty-state";
    expect_answer(server.howdah({"journal", "list"}, {{"HOWDAH_STATE_DIRECTORY", empty.string()}}), 0,
                  {"The journal in " + empty.string() + " is empty."});
}

TEST(Names, OfAStateFolderThatCannotBeWritten) {
    auto& server = shared_server();
    const auto closed = server.workspace() / "closed-state";
    fs::create_directory(closed);
    fs::permissions(closed, fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
    const Environment environment{{"HOWDAH_STATE_DIRECTORY", (closed / "below").string()},
                                  {"XDG_STATE_HOME", (server.workspace() / "own-state").string()}};
    expect_answer(server.howdah({"journal", "list"}, environment), 0,
                  {"may not write the state folder " + (closed / "below").string(), "own-state/howdah instead"});
    fs::permissions(closed, fs::perms::owner_all);
}

TEST(Shown, ABackupForPeople) {
    const auto id = shared_server().howdah_json({"backup", "list"})["backups"][0]["id"].get<std::string>();
    const auto said = expect_answer(shared_server().howdah({"backup", "show", id}), 0, {" MiB", id});
    EXPECT_EQ(said.find("{\""), std::string::npos) << said;
    EXPECT_EQ(said.find("[]"), std::string::npos) << said;
}

TEST(Shown, AWrongPortInAConninfo) {
    const auto said = expect_answer(
        shared_server().howdah({"backup", "run"}, {{"HOWDAH_CLUSTER_MAIN_CONNINFO", "host=localhost port=abc"}}), 3, {"port"});
    EXPECT_EQ(said.find("percent"), std::string::npos) << said;
    EXPECT_EQ(said.find("***"), std::string::npos) << said;
}

}  // namespace
}  // namespace howdah::tests
