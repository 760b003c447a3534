// Repositories that may only be read, and keys that are lost.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// A copy of the shared repository, owned by the server's user, that goes with the object.
class CopiedRepository {
public:
    explicit CopiedRepository(const std::string& name) : path_(shared_server().workspace() / name) {
        base::run_process_checked("cp", {"cp", "-a", shared_server().repository().string(), path_.string()});
    }
    ~CopiedRepository() {
        may_write(true);
        fs::remove_all(path_);
    }
    CopiedRepository(const CopiedRepository&) = delete;
    CopiedRepository& operator=(const CopiedRepository&) = delete;
    void may_write(bool allowed) const { base::run_process_checked("chmod", {"chmod", "-R", allowed ? "u+w" : "a-w", path_.string()}); }
    const fs::path& path() const { return path_; }
    Environment environment() const { return {{"HOWDAH_REPOSITORY_MAIN_URL", "file://" + path_.string()}}; }

private:
    fs::path path_;
};

TEST(ReadOnlyRepository, IsReadByEverythingThatOnlyReads) {
    auto& server = shared_server();
    const CopiedRepository copy("read-only");
    copy.may_write(false);
    const auto environment = copy.environment();
    const auto listed = server.howdah_json({"backup", "list"}, 0, environment);
    ASSERT_EQ(listed["backups"].size(), 1u);
    server.howdah_ok({"backup", "list"}, environment);
    server.howdah_ok({"backup", "list", "--all"}, environment);
    server.howdah_ok({"backup", "show", listed["backups"][0]["id"]}, environment);
    server.howdah_ok({"backup", "verify"}, environment);
    server.howdah_ok({"backup", "status"}, environment);
    server.howdah_ok({"wal", "status"}, environment);
    server.howdah_ok({"repo", "info"}, environment);
    server.howdah_ok({"repo", "check"}, environment);
    server.howdah_ok({"restore", "--dry-run", "--into", (server.workspace() / "nowhere").string()}, environment);
    expect_answer(server.howdah({"backup", "run"}, environment), 5, {"cannot be written"});
    expect_answer(server.howdah({"repo", "gc"}, environment), 5, {"cannot be written"});
}

/// A new key would open nothing that is stored.
TEST(LostKey, IsBroughtBackAndNotMadeAnew) {
    auto& server = shared_server();
    const auto key = server.workspace() / "damaged.key";
    for (const char* content : {"", "damaged\n"}) {
        base::write_file_durably(key, content, 0644);
        const auto said = expect_answer(server.howdah({"backup", "list"}, {{"HOWDAH_REPOSITORY_MAIN_KEY_FILE", key.string()}}), 3,
                                        {"bring back the copy of the key"});
        EXPECT_EQ(said.find("openssl"), std::string::npos) << said;
    }
    Environment elsewhere{{"HOWDAH_REPOSITORY_MAIN_KEY_FILE", key.string()},
                          {"HOWDAH_REPOSITORY_MAIN_URL", "file://" + (server.workspace() / "new").string()}};
    expect_answer(server.howdah({"repo", "init"}, elsewhere), 3, {"remove it and repo init makes a new key"});
    fs::remove(key);
}

}  // namespace
}  // namespace howdah::tests
