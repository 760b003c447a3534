// As root the program becomes the server's user, whatever the configuration leaves out.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

class AsRoot : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root becomes another user";
    }
};

TEST_F(AsRoot, BecomesTheOwnerOfTheSocketWithoutADataDirectory) {
    auto& server = shared_server();
    // As /tmp: root's own, and everybody may make something in it.
    const base::TemporaryDirectory place("cli-user");
    fs::permissions(place.path(), fs::perms::all | fs::perms::sticky_bit);
    const auto config = place.path() / "howdah.toml";
    base::write_file_durably(
        config,
        fmt::format(
            "[cluster.main]\nconninfo = \"{}\"\n[repository.main]\nurl = \"file://{}/repository\"\nkey_file = \"{}/repository.key\"\n"
            "[state]\ndirectory = \"{}/state\"\n",
            server.server().conninfo(), place.path().string(), place.path().string(), place.path().string()),
        0644);
    expect_answer(run_bare({"--config", config.string(), "repo", "init"}), 0, {"Made the repository"});
    EXPECT_EQ(base::owner_of(place.path() / "repository").uid, server.server().user().uid);
    EXPECT_EQ(base::owner_of(place.path() / "repository.key").uid, server.server().user().uid);
    EXPECT_EQ(base::owner_of(place.path() / "state").uid, server.server().user().uid);
    expect_answer(run_bare({"--config", config.string(), "wal", "status"}), 0, {"no WAL yet"});
}

}  // namespace
}  // namespace howdah::tests
