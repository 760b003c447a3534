// wal fetch: PostgreSQL reads 1 to 125 as "end of WAL" and may promote. So 0 is found, 1 is proven absence, and all else is 126 or more.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFutureSegment = "0000000100000000000000F0";

fs::path data_directory() { return shared_server().server().data_directory(); }

/// A folder for a destination, so that what is left beside it shows.
fs::path destination_folder() {
    const auto folder = fresh_path("delivered");
    fs::create_directory(folder);
    give_to_server(folder);
    return folder;
}

base::ProcessResult fetch(const std::string& name, const fs::path& destination, Refusal how = {}) {
    if (how.directory.empty()) how.directory = data_directory();
    return run_program({"wal", "fetch", name, destination.string(), "--wait", "0"}, how);
}

/// What exists, and what is surely absent: neither may be told while something is wrong.
void expect_aborts(Refusal how) {
    if (how.directory.empty()) how.directory = data_directory();
    how.exit_code = 126;
    for (const std::string& name : {first_segment(), std::string(kFutureSegment), std::string("00000002.history")}) {
        const auto folder = destination_folder();
        auto here = how;
        here.also.push_back(folder);
        expect_refused({"wal", "fetch", name, (folder / "RECOVERYXLOG").string(), "--wait", "0"}, here);
    }
}

fs::path write_config(const std::string& addition) {
    const auto path = fresh_path("fetch.toml");
    base::write_file_durably(path, base::read_file(shared_server().config_file()) + addition, 0644);
    return path;
}

TEST(WalFetch, FoundIsZero) {
    const auto folder = destination_folder();
    const auto result = fetch(first_segment(), folder / "RECOVERYXLOG");
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(fs::file_size(folder / "RECOVERYXLOG"), 1u << 20);
}

TEST(WalFetch, ProvenAbsenceIsOne) {
    for (const char* name : {kFutureSegment, "00000002.history", "000000010000000000000003.00000028.backup"}) {
        const auto folder = destination_folder();
        EXPECT_EQ(fetch(name, folder / "RECOVERYXLOG").exit_code, 1) << name;
        EXPECT_TRUE(fs::is_empty(folder));
    }
}

TEST(WalFetch, Configuration) {
    const auto folder = destination_folder();
    const auto run = [&](const fs::path& file, const std::string& message) {
        expect_refused({"wal", "fetch", first_segment(), (folder / "x").string()},
                       {.exit_code = 126, .message = message, .directory = data_directory(), .also = {folder}, .config = file});
    };
    run(fresh_path("none.toml"), "none.toml");
    run(write_config("wal.fetch_wat = \"1s\"\n"), "unknown key");
    run(write_config("no TOML at all"), "fetch.toml");
    const auto hidden = write_config("");
    give_to_server(hidden);
    fs::permissions(hidden, fs::perms::none);
    run(hidden, "fetch.toml");
    expect_aborts({.message = "HOWDAH_NONSENSE", .environment = {{"HOWDAH_NONSENSE", "1"}}});
}

TEST(WalFetch, Keys) {
    const auto with_key = [](const fs::path& key) { return Environment{{"HOWDAH_REPOSITORY_MAIN_KEY_FILE", key.string()}}; };
    expect_aborts({.message = "key", .environment = with_key(other_key_file())});
    expect_aborts({.message = "key file does not exist", .environment = with_key(fresh_path("no.key"))});
    const auto hidden = other_key_file();
    fs::permissions(hidden, fs::perms::none);
    expect_aborts({.message = "Permission denied", .environment = with_key(hidden)});
}

TEST(WalFetch, Repository) {
    expect_aborts({.message = "repository cannot be opened", .environment = at_repository(fresh_path("absent"))});
    const auto empty = destination_folder();
    expect_aborts({.message = "there is no repository", .environment = at_repository(empty), .also = {empty}});
    const auto closed = copy_of_repository("closed");
    fs::permissions(closed, fs::perms::none);
    expect_aborts({.message = "Permission denied", .environment = at_repository(closed)});
    fs::permissions(closed, fs::perms::owner_all);
    const auto file = fresh_path("file");
    base::write_file_durably(file, "no folder\n");
    expect_aborts({.message = "not a folder", .environment = at_repository(file)});
}

/// The folder of the WAL may not be entered: what is in it is neither found nor absent.
TEST(WalFetch, WalThatMayNotBeRead) {
    const auto closed = copy_of_repository("closed-wal");
    fs::path wal;
    for (const auto& entry : fs::recursive_directory_iterator(closed))
        if (entry.path().filename() == "wal") wal = entry.path();
    fs::permissions(wal, fs::perms::none);
    const auto folder = destination_folder();
    for (const std::string& name : {first_segment(), std::string(kFutureSegment)})
        expect_refused({"wal", "fetch", name, (folder / "x").string(), "--wait", "0"}, {.exit_code = 126,
                                                                                        .message = "Permission denied",
                                                                                        .environment = at_repository(closed),
                                                                                        .directory = data_directory(),
                                                                                        .also = {folder}});
    fs::permissions(wal, fs::perms::owner_all);
}

TEST(WalFetch, AnotherCluster) {
    const auto other = data_directory_with("another", recorded_control_file("pg_control_15"));
    expect_aborts({.message = "holds nothing of cluster main", .directory = other, .also = {other}});
    const auto folder = destination_folder();
    expect_refused({"--cluster", "wrong", "wal", "fetch", kFutureSegment, (folder / "x").string()},
                   {.exit_code = 126, .message = "wrong", .directory = data_directory(), .also = {folder}});
}

TEST(WalFetch, PostgreSQLThirteen) {
    const auto thirteen = data_directory_with("thirteen", recorded_control_file("pg_control_13"));
    expect_aborts({.message = "PostgreSQL 13 is not supported", .directory = thirteen, .also = {thirteen}});
}

TEST(WalFetch, NoDataDirectory) {
    const auto folder = destination_folder();
    expect_aborts({.message = "pg_control", .directory = folder});
}

TEST(WalFetch, WrongUse) {
    const auto folder = destination_folder();
    const auto to = (folder / "x").string();
    for (const auto& words : std::vector<std::vector<std::string>>{{"wal", "fetch"},
                                                                   {"wal", "fetch", kFutureSegment},
                                                                   {"wal", "fetch", kFutureSegment, to, "more"},
                                                                   {"wal", "fetch", "--nonsense", kFutureSegment, to},
                                                                   {"wal", "fetch", kFutureSegment, to, "--wait", "for me"},
                                                                   {"wal", "fetch", "no-name", to},
                                                                   {"wal", "fetch", "", to},
                                                                   {"wal", "fetch", kFutureSegment, ""},
                                                                   {"--output", "xml", "wal", "fetch", kFutureSegment, to},
                                                                   {"--nonsense", "wal", "fetch", kFutureSegment, to},
                                                                   {"wal", "--nonsense", "fetch", kFutureSegment, to},
                                                                   {"wal", "-v", "--repository", "wrong", "fetch", kFutureSegment, to},
                                                                   {"wal", "--cluster", "wrong", "fetch", kFutureSegment, to}})
        expect_refused(words, {.exit_code = 126, .message = "", .directory = data_directory(), .also = {folder}});
    // A probe's output has other exit codes, but not here.
    for (const char* output : {"json", "nagios"}) {
        const auto result = run_program({"--output", output, "wal", "fetch", kFutureSegment, to, "--wait", "0"},
                                        {.environment = at_repository(fresh_path("absent")), .directory = data_directory()});
        EXPECT_EQ(result.exit_code, 126) << output;
    }
}

TEST(WalFetch, DestinationThatCannotBeWritten) {
    const auto folder = destination_folder();
    fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
    expect_refused({"wal", "fetch", first_segment(), (folder / "x").string()},
                   {.exit_code = 126, .message = "Permission denied", .directory = data_directory(), .also = {folder}});
    fs::permissions(folder, fs::perms::owner_all);
}

TEST(WalFetch, DamagedSegment) {
    const auto damaged = copy_of_repository("damaged");
    for (const auto& entry : fs::recursive_directory_iterator(damaged)) {
        if (entry.path().filename() != first_segment()) continue;
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(100);
        file.put('!').put('?');
    }
    const auto folder = destination_folder();
    expect_refused(
        {"wal", "fetch", first_segment(), (folder / "x").string(), "--no-look-ahead"},
        {.exit_code = 126, .message = "damaged", .environment = at_repository(damaged), .directory = data_directory(), .also = {folder}});
}

/// The look-ahead is a help, never a condition: without a place for it the answers are the same.
TEST(WalFetch, NoStateDirectory) {
    const auto closed = destination_folder();
    fs::permissions(closed, fs::perms::owner_read | fs::perms::owner_exec);
    const Environment environment{
        {"HOWDAH_STATE_DIRECTORY", (closed / "state").string()}, {"HOME", closed.string()}, {"XDG_STATE_HOME", ""}};
    const auto folder = destination_folder();
    EXPECT_EQ(fetch(first_segment(), folder / "x", {.environment = environment}).exit_code, 0);
    EXPECT_EQ(fetch(kFutureSegment, folder / "y", {.environment = environment}).exit_code, 1);
    fs::permissions(closed, fs::perms::owner_all);
}

/// Only beside standby.signal, where streaming may go on, an outage answers 1.
TEST(WalFetch, StandbyWithoutItsSignalIsNoStandby) {
    const auto folder = destination_folder();
    expect_refused({"wal", "fetch", "--standby", kFutureSegment, (folder / "x").string(), "--wait", "0"},
                   {.exit_code = 126,
                    .message = "repository cannot be opened",
                    .environment = at_repository(fresh_path("absent")),
                    .directory = data_directory(),
                    .also = {folder}});
}

}  // namespace
}  // namespace howdah::tests
