// Restores that are refused before a byte is copied.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// The target is not there, and must not be afterwards.
void expect_not_begun(std::vector<std::string> target, const std::string& message, int exit_code = 1) {
    const auto into = fresh_path("target");
    std::vector<std::string> words{"restore", "--into", into.string()};
    words.insert(words.end(), target.begin(), target.end());
    expect_refused(words, {.exit_code = exit_code, .message = message, .also = {into}});
    words.push_back("--dry-run");
    expect_refused(words, {.exit_code = exit_code, .message = message, .also = {into}});
}

TEST(RestoreRefusals, TargetThatIsNotEmpty) {
    const auto into = fresh_path("full");
    fs::create_directory(into);
    base::write_file_durably(into / "precious", "do not touch\n");
    give_to_server(into);
    expect_refused({"restore", "--into", into.string()}, {.exit_code = 1, .message = "not empty", .also = {into}});
    expect_refused({"restore", "--into", shared_server().server().data_directory().string()}, {.exit_code = 1, .message = "not empty"});
    const auto file = fresh_path("file");
    base::write_file_durably(file, "a file\n");
    expect_refused({"restore", "--into", file.string()}, {.exit_code = 1, .message = "is no folder", .also = {file}});
}

/// The mark of another backup's restore gives no right to empty a folder.
TEST(RestoreRefusals, TargetMarkedByAnotherRestore) {
    const auto into = fresh_path("marked");
    fs::create_directory(into);
    base::write_file_durably(into / "howdah-unfinished-restore",
                             "Howdah is restoring backup 20010101T000000Z-0000 of repository x into this folder and has not finished.\n");
    base::write_file_durably(into / "half", "of another restore\n");
    give_to_server(into);
    expect_refused({"restore", "--into", into.string()},
                   {.exit_code = 1, .message = "another backup has not finished: 20010101T000000Z-0000 of repository x", .also = {into}});
}

TEST(RestoreRefusals, TargetWithoutTheRightToWrite) {
    const auto parent = fresh_path("closed");
    fs::create_directory(parent);
    give_to_server(parent);
    fs::permissions(parent, fs::perms::owner_read | fs::perms::owner_exec);
    expect_refused({"restore", "--into", (parent / "target").string()},
                   {.exit_code = 1, .message = (parent / "target").string(), .also = {parent}});
    fs::permissions(parent, fs::perms::owner_all);
}

/// What is around the target would take the restored files for its own.
TEST(RestoreRefusals, TargetInsideSomebodyElsesFolder) {
    const auto repository = shared_server().repository() / "restored";
    expect_refused({"restore", "--into", repository.string()},
                   {.exit_code = 1, .message = "lies inside the repository main", .also = {repository}});
    const auto data = shared_server().server().data_directory() / "restored";
    expect_refused({"restore", "--into", data.string()},
                   {.exit_code = 1, .message = "lies inside the data directory of cluster main", .also = {data}});
    const auto link = fresh_path("link");
    fs::create_directory_symlink(shared_server().repository(), link);
    expect_refused({"restore", "--into", (link / "x").string()},
                   {.exit_code = 1, .message = "lies inside the repository main", .also = {link / "x"}});
    const auto unknown = fresh_path("unknown");
    fs::create_directory(unknown);
    base::write_file_durably(unknown / "PG_VERSION", "15\n", 0644);
    give_to_server(unknown);
    expect_refused({"restore", "--into", (unknown / "x").string()},
                   {.exit_code = 1, .message = "lies inside a data directory: " + unknown.string(), .also = {unknown / "x"}});
}

TEST(RestoreRefusals, EmptyValues) {
    for (const char* option : {"--to-time", "--to-lsn", "--backup", "--config-to", "--tablespace", "--wait"})
        expect_not_begun({option, ""}, option, 2);
    expect_refused({"restore", "--into", ""}, {.exit_code = 2, .message = "--into"});
}

/// A dry run finds what the run would stumble over.
TEST(RestoreRefusals, PlacesThatCannotBeMade) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"restore", "--into", "/proc/foo/bar"}, {"--dry-run", "restore", "--into", "/proc/foo/bar"}})
        expect_refused(words, {.exit_code = 1, .message = "cannot restore into /proc/foo/bar"});
}

TEST(RestoreRefusals, BeforeTheFirstBackup) {
    expect_not_begun({"--to-time", "2001-01-01 00:00:00+00"}, "no backup is complete before the target");
    expect_not_begun({"--to-lsn", "0/1000"}, "no backup is complete before the target");
}

TEST(RestoreRefusals, AfterTheLastWal) {
    expect_not_begun({"--to-time", "2099-01-01 00:00:00+00"}, "is archived yet: the newest archived commit is of");
    expect_not_begun({"--to-lsn", "FF/1000"}, "");
}

TEST(RestoreRefusals, UnknownTimeline) { expect_not_begun({"--timeline", "7"}, "7"); }

TEST(RestoreRefusals, UnknownBackup) { expect_not_begun({"--backup", "nonsense"}, "there is no backup nonsense"); }

TEST(RestoreRefusals, UnknownCluster) { expect_not_begun({"--cluster", "other"}, "no backup of cluster other"); }

TEST(RestoreRefusals, UnknownTablespace) { expect_not_begun({"--tablespace", "none=/tmp/x"}, "no tablespace of the backup", 2); }

/// A segment between the backup and the target is gone: refused before a byte is copied.
TEST(RestoreRefusals, WalMissingOnTheWay) {
    const auto repository = copy_of_repository("gap");
    const auto name = newest_segment();
    fs::path gap;
    for (const auto& entry : fs::recursive_directory_iterator(repository))
        if (entry.path().filename() == name) gap = entry.path();
    const auto before =
        fs::path(gap).parent_path() / fmt::format("{}{:08X}", name.substr(0, 16), std::stoul(name.substr(16), nullptr, 16) - 1);
    ASSERT_TRUE(fs::remove(before));
    const auto into = fresh_path("target");
    expect_refused(
        {"restore", "--into", into.string()},
        {.exit_code = 1, .message = before.filename().string(), .environment = at_repository(repository), .also = {into, repository}});
}

}  // namespace
}  // namespace howdah::tests
