// The configuration, the key and the data directory: exit 3; wrong use: exit 2.
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

const std::vector<std::vector<std::string>> kNeedKey{{"backup", "run"},    {"backup", "list"}, {"backup", "verify"},
                                                     {"backup", "status"}, {"repo", "info"},   {"repo", "check"},
                                                     {"repo", "gc"},       {"wal", "setup"},   {"wal", "status"}};

Environment with_key(const fs::path& key) { return {{"HOWDAH_REPOSITORY_MAIN_KEY_FILE", key.string()}}; }
Environment with_data_directory(const fs::path& directory) { return {{"HOWDAH_CLUSTER_MAIN_DATA_DIRECTORY", directory.string()}}; }

fs::path write_config(const std::string& text) {
    const auto path = fresh_path("other.toml");
    base::write_file_durably(path, text, 0644);
    return path;
}

void expect_everywhere(const Refusal& refusal) {
    auto commands = kNeedKey;
    const auto target = fresh_path("target");
    auto with_target = refusal;
    with_target.also.push_back(target);
    commands.push_back({"restore", "--into", target.string()});
    for (const auto& words : commands) expect_refused(words, with_target);
}

TEST(ConfigurationFailures, WrongKey) { expect_everywhere({.exit_code = 3, .message = "key", .environment = with_key(other_key_file())}); }

TEST(ConfigurationFailures, NoKeyFile) {
    expect_everywhere({.exit_code = 3, .message = "key file does not exist", .environment = with_key(fresh_path("no.key"))});
}

TEST(ConfigurationFailures, KeyFileThatIsNone) {
    const auto key = fresh_path("bad.key");
    base::write_file_durably(key, "not a key\n", 0600);
    give_to_server(key);
    expect_refused({"backup", "list"}, {.exit_code = 3, .message = "not one line of base64", .environment = with_key(key)});
}

TEST(ConfigurationFailures, KeyFileWithoutTheRightToReadIt) {
    const auto key = other_key_file();
    fs::permissions(key, fs::perms::none);
    expect_refused({"backup", "list"}, {.exit_code = 3, .message = key.filename().string(), .environment = with_key(key)});
}

TEST(ConfigurationFailures, UnknownKeyInTheFile) {
    auto text = base::read_file(shared_server().config_file());
    const auto config = write_config(text + "cluster.main.conninf = \"typo\"\n");
    expect_everywhere({.exit_code = 3, .message = "unknown key", .config = config});
    const auto checked = run_program({"config", "check"}, {.config = config});
    EXPECT_EQ(checked.exit_code, 3);
    EXPECT_NE((checked.output + checked.errors).find("conninf"), std::string::npos) << checked.output << checked.errors;
    EXPECT_NE((checked.output + checked.errors).find("did you mean"), std::string::npos) << checked.output << checked.errors;
}

TEST(ConfigurationFailures, OtherWaysToBeWrong) {
    const auto text = base::read_file(shared_server().config_file());
    expect_refused({"backup", "list"}, {.exit_code = 3, .message = "none.toml", .config = fresh_path("none.toml")});
    expect_refused({"backup", "list"}, {.exit_code = 3, .message = "other.toml", .config = write_config(text + "this is no TOML")});
    expect_refused({"backup", "list"},
                   {.exit_code = 3, .message = "backup.jobs", .config = write_config(text + "backup.jobs = \"many\"\n")});
    expect_refused({"backup", "list"}, {.exit_code = 3, .message = "HOWDAH_NONSENSE", .environment = {{"HOWDAH_NONSENSE", "1"}}});
    expect_refused({"--cluster", "other", "backup", "run"}, {.exit_code = 3, .message = "other"});
    expect_refused({"--repository", "other", "backup", "list"}, {.exit_code = 3, .message = "other"});
    const auto hidden = write_config(text);
    give_to_server(hidden);
    fs::permissions(hidden, fs::perms::none);
    expect_refused({"backup", "list"}, {.exit_code = 3, .message = "other.toml", .config = hidden});
}

TEST(ConfigurationFailures, NoSuchDataDirectory) {
    expect_refused({"backup", "run"},
                   {.exit_code = 3, .message = "no data directory there", .environment = with_data_directory(fresh_path("nowhere"))});
    const auto empty = fresh_path("empty");
    fs::create_directory(empty);
    give_to_server(empty);
    expect_refused({"backup", "run"},
                   {.exit_code = 3, .message = "not a data directory", .environment = with_data_directory(empty), .also = {empty}});
}

TEST(ConfigurationFailures, DataDirectoryOfAnotherCluster) {
    const auto other = data_directory_with("another", recorded_control_file("pg_control_15"));
    expect_refused({"backup", "run"},
                   {.exit_code = 3, .message = "belongs to another cluster", .environment = with_data_directory(other), .also = {other}});
    auto down = with_data_directory(other);
    down["HOWDAH_CLUSTER_MAIN_CONNINFO"] = "host=127.0.0.1 port=1 user=postgres";
    expect_refused({"backup", "run"}, {.exit_code = 4, .message = "connecting to", .environment = down});
}

TEST(ConfigurationFailures, DataDirectoryThatMayNotBeRead) {
    const auto closed = data_directory_with("closed", recorded_control_file("pg_control_15"));
    fs::permissions(closed, fs::perms::none);
    expect_refused({"backup", "run"}, {.exit_code = 3, .message = closed.string(), .environment = with_data_directory(closed)});
    fs::permissions(closed, fs::perms::owner_all);
}

TEST(ConfigurationFailures, PostgreSQLThirteen) {
    const auto thirteen = data_directory_with("thirteen", recorded_control_file("pg_control_13"));
    const std::string message = "PostgreSQL 13 is not supported";
    expect_refused({"backup", "run"},
                   {.exit_code = 1, .message = message, .environment = with_data_directory(thirteen), .also = {thirteen}});
    fs::create_directory(thirteen / "pg_wal");
    base::write_file_durably(thirteen / "pg_wal/000000010000000000000099", std::string(1 << 20, 'w'));
    give_to_server(thirteen);
    expect_refused({"wal", "push", "pg_wal/000000010000000000000099"},
                   {.exit_code = 1, .message = message, .directory = thirteen, .also = {thirteen}});
}

TEST(ConfigurationFailures, WrongUse) {
    for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                   {"nonsense"},
                                                                   {"backup"},
                                                                   {"backup", "nonsense"},
                                                                   {"backup", "run", "--nonsense"},
                                                                   {"backup", "list", "--output", "xml"},
                                                                   {"backup", "show"},
                                                                   {"restore"},
                                                                   {"restore", "--into", "x", "--to-time", "yesterday"},
                                                                   {"restore", "--into", "x", "--to-lsn", "here"},
                                                                   {"restore", "--into", "x", "--latest", "--to-backup-end"},
                                                                   {"repo", "gc", "--grace", "never"},
                                                                   {"backup", "run", "--type", "incremental"},
                                                                   {"wal", "push"}})
        expect_refused(words, {.exit_code = 2, .message = ""});
}

/// Root becomes the owner of the data directory; nothing about the answers changes.
TEST(ConfigurationFailures, TheSameAsRoot) {
    if (::geteuid() != 0) GTEST_SKIP() << "this test runs as another user than root, as all the others do then";
    expect_refused({"backup", "list"}, {.exit_code = 3, .message = "key", .environment = with_key(other_key_file()), .as_ourselves = true});
    expect_refused({"backup", "run"}, {.exit_code = 4,
                                       .message = "connecting to",
                                       .environment = {{"HOWDAH_CLUSTER_MAIN_CONNINFO", "host=127.0.0.1 port=1"}},
                                       .as_ourselves = true});
    expect_refused(
        {"backup", "list"},
        {.exit_code = 5, .message = "repository cannot be opened", .environment = at_repository(fresh_path("gone")), .as_ourselves = true});
    expect_refused({"restore", "--into", shared_server().server().data_directory().string()},
                   {.exit_code = 1, .message = "not empty", .as_ourselves = true});
}

}  // namespace
}  // namespace howdah::tests
