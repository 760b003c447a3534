// The repository is absent, not mounted, unreadable, unwritable or full: exit 5, and nothing is left behind.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "ground.hpp"
#include "support/namespaces.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// Everything that opens the repository.
void expect_everywhere(const fs::path& repository, const std::string& message) {
    const auto target = fresh_path("target");
    const auto segment = shared_server().server().data_directory() / "pg_wal" / newest_segment();
    for (const auto& words : std::vector<std::vector<std::string>>{{"backup", "run"},
                                                                   {"backup", "list"},
                                                                   {"backup", "verify"},
                                                                   {"backup", "status"},
                                                                   {"repo", "info"},
                                                                   {"repo", "check"},
                                                                   {"repo", "gc"},
                                                                   {"wal", "setup"},
                                                                   {"wal", "push", segment.string()},
                                                                   {"restore", "--into", target.string()}})
        expect_refused(words, {.exit_code = 5, .message = message, .environment = at_repository(repository), .also = {repository, target}});
}

TEST(RepositoryFailures, Absent) { expect_everywhere(fresh_path("absent"), "repository cannot be opened"); }

TEST(RepositoryFailures, EmptyFolderInItsPlace) {
    const auto empty = fresh_path("unmounted");
    fs::create_directory(empty);
    give_to_server(empty);
    expect_everywhere(empty, "there is no repository");
}

TEST(RepositoryFailures, FileInItsPlace) {
    const auto file = fresh_path("file");
    base::write_file_durably(file, "no folder\n");
    expect_refused({"backup", "list"}, {.exit_code = 5, .message = "not a folder", .environment = at_repository(file), .also = {file}});
}

TEST(RepositoryFailures, WithoutTheRightToReadIt) {
    const auto closed = copy_of_repository("closed");
    fs::permissions(closed, fs::perms::none);
    expect_everywhere(closed, "Permission denied");
    fs::permissions(closed, fs::perms::owner_all);
}

/// It is asked before its key, so that an unmounted disk is told as that and not as a lost key.
TEST(RepositoryFailures, AbsentTogetherWithItsKey) {
    auto environment = at_repository(fresh_path("absent"));
    environment["HOWDAH_REPOSITORY_MAIN_KEY_FILE"] = fresh_path("absent.key").string();
    expect_refused({"backup", "list"}, {.exit_code = 5, .message = "repository cannot be opened", .environment = environment});
}

/// Every folder without the right to write, as a read-only mount has it.
TEST(RepositoryFailures, WithoutTheRightToWriteIt) {
    const auto closed = copy_of_repository("unwritable");
    std::vector<fs::path> folders{closed};
    for (const auto& entry : fs::recursive_directory_iterator(closed))
        if (entry.is_directory()) folders.push_back(entry.path());
    for (const auto& folder : folders) fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
    const auto segment = fresh_path("push");
    fs::create_directories(segment / "pg_wal");
    expect_refused({"backup", "run"},
                   {.exit_code = 5, .message = "Permission denied", .environment = at_repository(closed), .also = {closed}});
    expect_refused({"repo", "gc"},
                   {.exit_code = 5, .message = "Permission denied", .environment = at_repository(closed), .also = {closed}});
    for (const auto& folder : folders) fs::permissions(folder, fs::perms::owner_all);
}

TEST(RepositoryFailures, MarkerThatIsDamaged) {
    const auto damaged = copy_of_repository("damaged");
    base::write_file_durably(damaged / "repository", "{\"howdah\":\"reposi");
    give_to_server(damaged);
    expect_refused({"backup", "list"}, {.exit_code = 5, .message = "damaged", .environment = at_repository(damaged), .also = {damaged}});
}

/// A server of its own in mounts of its own, whose repository lies on a small memory file system.
class FullRepository : public testing::Test {
protected:
    void SetUp() override {
        static const std::string impossible = enter_private_space(false);
        if (!impossible.empty()) GTEST_SKIP() << impossible;
        ProtectedServer::Options options;
        options.scratch.wal_segment_mib = 1;
        options.archiving = false;
        options.scratch.settings = {{"checkpoint_timeout", "1h"}, {"bgwriter_lru_maxpages", "0"}};
        protectee.emplace(options);
        const auto place = protectee->repository();
        const auto away = protectee->workspace() / "away";
        fs::rename(place, away);
        fs::create_directory(place);
        mount_memory(place, "3m");
        base::run_process_checked("cp", {"cp", "-a", away.string() + "/.", place.string()});
        if (::geteuid() == 0) base::run_process_checked("chown", {"chown", "-R", protectee->server().user().name, place.string()});
        protectee->session().script(
            "CREATE TABLE noise AS SELECT g, md5(random()::text) || md5(random()::text) AS bytes FROM generate_series(1, 60000) g");
        protectee->session().script("CHECKPOINT");
    }
    void TearDown() override {
        if (!protectee) return;
        unmount(protectee->repository());
        protectee.reset();
    }
    /// Fills the rest of the file system.
    fs::path fill_up() {
        const auto ballast = protectee->repository() / ".ballast";
        std::ofstream file(ballast, std::ios::binary);
        const std::string block(4096, 'x');
        while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
        }
        return ballast;
    }
    std::optional<ProtectedServer> protectee;
};

void expect_full(const base::ProcessResult& result) {
    EXPECT_EQ(result.exit_code, 5) << result.errors;
    EXPECT_NE(result.errors.find("No space left on device"), std::string::npos) << result.errors;
    EXPECT_NE(result.errors.find("HINT: free space"), std::string::npos) << result.errors;
}

TEST_F(FullRepository, TakesNothingAndLosesNothing) {
    const auto segment = protectee->session().value("SELECT pg_walfile_name(pg_switch_wal())");
    const auto ballast = fill_up();
    const std::vector<fs::path> folders{protectee->server().data_directory(), protectee->repository(), protectee->state()};
    const auto before = look_at(folders);
    expect_full(protectee->howdah({"backup", "run"}));
    const auto wal = protectee->server().data_directory() / "pg_wal" / segment;
    expect_full(protectee->howdah({"wal", "push", wal.string()}));
    EXPECT_EQ(difference(before, look_at(folders)), "");
    fs::remove(ballast);
    protectee->howdah_ok({"wal", "push", wal.string()});
}

TEST_F(FullRepository, BecomesFullDuringABackup) {
    expect_full(protectee->howdah({"backup", "run"}));
    EXPECT_TRUE(protectee->howdah_json({"backup", "list"})["backups"].empty());
    EXPECT_EQ(protectee->session().value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'howdah backup'"), "0");
    EXPECT_FALSE(fs::exists(protectee->server().data_directory() / "backup_label"));
    // More room, and the plain command again.
    base::run_process_checked("mount", {"mount", "-o", "remount,size=64m", protectee->repository().string()});
    const auto again = protectee->howdah_json({"backup", "run"});
    EXPECT_TRUE(again["ok"]);
    EXPECT_EQ(protectee->howdah_json({"backup", "list"})["backups"].size(), 1u);
    protectee->howdah_ok({"repo", "gc", "--grace", "0"});
    EXPECT_TRUE(protectee->howdah_json({"backup", "verify"})["ok"]);
    EXPECT_TRUE(protectee->howdah_json({"repo", "check"})["leftovers"].empty());
}

}  // namespace
}  // namespace howdah::tests
