#include "base/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "base/file.hpp"
#include "base/process.hpp"

extern char** environ;

namespace howdah::base {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A folder with howdah.toml and conf.d, and an environment without settings from outside.
class ConfigTest : public testing::Test {
protected:
    void SetUp() override {
        for (char** entry = environ; *entry; ++entry) {
            const std::string pair = *entry;
            const std::string name = pair.substr(0, pair.find('='));
            if (name.starts_with("HOWDAH_") || name == "DATABASE_URL" || name == "XDG_STATE_HOME" || name == "HOME")
                saved_[name] = pair.substr(name.size() + 1);
        }
        for (const auto& [name, value] : saved_) ::unsetenv(name.c_str());
    }
    void TearDown() override {
        for (const std::string& name : set_) ::unsetenv(name.c_str());
        for (const auto& [name, value] : saved_) ::setenv(name.c_str(), value.c_str(), 1);
    }
    void set(const std::string& name, const std::string& value) {
        ::setenv(name.c_str(), value.c_str(), 1);
        set_.push_back(name);
    }
    void write(const std::string& content) { write_file_durably(file(), content); }
    void write_beside(const std::string& name, const std::string& content) {
        create_directories_durably(folder_.path() / "conf.d");
        write_file_durably(folder_.path() / "conf.d" / name, content);
    }
    fs::path file() const { return folder_.path() / "howdah.toml"; }

    /// Loads and expects no problem.
    Config load() {
        std::vector<ConfigProblem> problems;
        Config config = load_config(file(), &problems);
        for (const ConfigProblem& problem : problems) ADD_FAILURE() << problem.text();
        return config;
    }
    /// Loads and expects exactly one problem.
    ConfigProblem problem() {
        std::vector<ConfigProblem> problems;
        load_config(file(), &problems);
        EXPECT_EQ(problems.size(), 1u);
        for (std::size_t i = 1; i < problems.size(); ++i) ADD_FAILURE() << problems[i].text();
        return problems.empty() ? ConfigProblem() : problems.front();
    }
    /// The one problem of a file as "LINE KEY: what (hint)".
    std::string wrong(const std::string& content) {
        write(content);
        const ConfigProblem found = problem();
        EXPECT_EQ(found.file, file());
        return std::to_string(found.line) + " " + found.key + ": " + found.what + " (" + found.hint + ")";
    }

    TemporaryDirectory folder_{"config-test"};
    std::map<std::string, std::string> saved_;
    std::vector<std::string> set_;
};

TEST_F(ConfigTest, ReadsEveryKindOfSetting) {
    write(R"([cluster.main]
conninfo = "host=/run user=postgres"
data_directory = "/var/lib/postgresql/15/main"
[repository.main]
url = "file:///srv/repository"
key_file = "/etc/howdah/repository.key"
[state]
directory = "/srv/state"
[backup]
jobs = 4
compression_level = 19
checkpoint_spread = true
[wal]
fetch_wait = "90s"
[objective]
rpo = "5min"
rto = "2h"
[log]
level = "debug"
format = "json"
)");
    const Config config = load();
    EXPECT_EQ(config.cluster("main").conninfo, "host=/run user=postgres");
    EXPECT_EQ(config.cluster("").name, "main");
    EXPECT_EQ(config.cluster("main").data_directory, "/var/lib/postgresql/15/main");
    EXPECT_EQ(config.repository().url, "file:///srv/repository");
    EXPECT_EQ(config.repository().key_file, "/etc/howdah/repository.key");
    EXPECT_EQ(config.state.directory, "/srv/state");
    EXPECT_EQ(config.backup.jobs, 4u);
    EXPECT_EQ(config.backup.compression_level, 19);
    EXPECT_TRUE(config.backup.checkpoint_spread);
    EXPECT_EQ(config.wal.fetch_wait, Duration(90s));
    EXPECT_EQ(config.objective.rpo, Duration(5min));
    EXPECT_EQ(config.objective.rto, Duration(2h));
    EXPECT_EQ(config.objective.backup_age, Duration(26h));
    EXPECT_EQ(config.log.level, "debug");
    EXPECT_EQ(config.log.format, "json");
    EXPECT_EQ(config.files, std::vector<fs::path>{file()});
}

TEST_F(ConfigTest, LaterFilesOverrideAndTheEnvironmentWins) {
    write("[backup]\njobs = 1\ncompression_level = 1\n[wal]\npush_ahead = 1\n");
    write_beside("20-late.toml", "[backup]\njobs = 3\n");
    write_beside("10-early.toml", "[backup]\njobs = 2\ncompression_level = 2\n");
    write_beside("30-ignored.txt", "not TOML");
    set("HOWDAH_WAL_PUSH_AHEAD", "9");
    const Config config = load();
    EXPECT_EQ(config.backup.jobs, 3u);
    EXPECT_EQ(config.backup.compression_level, 2);
    EXPECT_EQ(config.wal.push_ahead, 9u);
    EXPECT_EQ(config.files.size(), 3u);
}

TEST_F(ConfigTest, NamesFileLineAndKeyOfEachProblem) {
    EXPECT_EQ(wrong("[cluster.main]\n\nconninf = \"x\"\n"), "3 cluster.main.conninf: unknown key: conninf (did you mean conninfo?)");
    EXPECT_EQ(wrong("[bakup]\njobs = 1\n"), "1 bakup: unknown section: bakup (did you mean backup?)");
    EXPECT_EQ(wrong("[state]\nxyz = 1\n"), "2 state.xyz: unknown key: xyz (use one of directory)");
    EXPECT_EQ(wrong("[backup]\njobs = \"four\"\n"), "2 backup.jobs: not a whole number: \"four\" ()");
    EXPECT_EQ(wrong("[backup]\njobs = 1.5\n"), "2 backup.jobs: not a whole number: a number with a fraction ()");
    EXPECT_EQ(wrong("[backup]\njobs = 257\n"), "2 backup.jobs: out of range: 257 (use 0 to 256)");
    EXPECT_EQ(wrong("[backup]\njobs = -1\n"), "2 backup.jobs: out of range: -1 (use 0 to 256)");
    EXPECT_EQ(wrong("[backup]\njobs = 9223372036854775807\n"), "2 backup.jobs: out of range: 9223372036854775807 (use 0 to 256)");
    EXPECT_EQ(wrong("[backup]\ncompression_level = 0\n"), "2 backup.compression_level: out of range: 0 (use 1 to 19)");
    EXPECT_EQ(wrong("[backup]\ncheckpoint_spread = \"yes\"\n"), "2 backup.checkpoint_spread: not true or false: \"yes\" ()");
    EXPECT_EQ(wrong("[state]\ndirectory = \"state\"\n"), "2 state.directory: not an absolute path: \"state\" ()");
    EXPECT_EQ(wrong("[log]\nlevel = \"loud\"\n"), "2 log.level: not a level: \"loud\" (use debug, info, warning or error)");
    EXPECT_EQ(wrong("[log]\nformat = [\"text\"]\n"), "2 log.format: not a text: a list ()");
    EXPECT_EQ(wrong("log = 1\n"), "1 log: a value where a table belongs (write it below [log])");
    EXPECT_EQ(wrong("[cluster]\nconninfo = \"x\"\n"), "2 cluster.conninfo: a value where a table belongs (write it below [cluster.NAME])");
    EXPECT_EQ(wrong("[backup.jobs]\nx = 1\n"), "1 backup.jobs: a table where a value belongs (write key = value)");
    EXPECT_EQ(wrong("[cluster.\"a b\"]\nconninfo = \"x\"\n"),
              "1 cluster.a b: not a name: \"a b\" (use 1 to 63 letters, digits, '_' and '-')");
}

TEST_F(ConfigTest, NamesTheRepositoriesOfWal) {
    const std::string two = "[repository.a]\nurl = \"file:///a\"\n[repository.b]\nurl = \"file:///b\"\n";
    const auto names = [](const std::vector<RepositoryConfig>& repositories) {
        std::string list;
        for (const auto& repository : repositories) list += repository.name + " ";
        return list;
    };
    write(two);
    EXPECT_EQ(names(load().wal_repositories()), "a b ") << "all of them, by name";
    EXPECT_EQ(names(load().wal_repositories("b")), "b ");
    EXPECT_THROW(load().repository(), Failure) << "other commands still want one";
    write(two + "[wal]\nrepositories = [\"b\", \"a\"]\nrequired = [\"a\"]\nbacklog_limit = \"24h\"\n");
    const Config config = load();
    EXPECT_EQ(names(config.wal_repositories()), "b a ");
    EXPECT_EQ(config.wal.required, std::vector<std::string>{"a"});
    EXPECT_EQ(config.wal.backlog_limit, 24h);
    const std::string description = describe_config(config);
    EXPECT_NE(description.find("wal.repositories = [\"b\", \"a\"]  # "), description.npos) << description;
    EXPECT_NE(description.find("wal.backlog_limit = \"1d\""), description.npos) << description;
    set("HOWDAH_WAL_REPOSITORIES", "a");
    set("HOWDAH_WAL_REQUIRED", " a ,");
    EXPECT_EQ(names(load().wal_repositories()), "a ");
    set("HOWDAH_WAL_REQUIRED", "elsewhere");
    EXPECT_EQ(problem().text(), "environment: HOWDAH_WAL_REQUIRED: no such repository: elsewhere\nHINT: use one of a, b");
}

TEST_F(ConfigTest, RefusesWrongRepositoriesOfWal) {
    const std::string one = "[repository.main]\nurl = \"file:///a\"\n[repository.b]\nurl = \"file:///b\"\n[wal]\n";
    EXPECT_EQ(wrong(one + "repositories = [\"mian\"]\n"), "6 wal.repositories: no such repository: mian (did you mean main?)");
    EXPECT_EQ(wrong(one + "repositories = \"main\"\n"),
              "6 wal.repositories: not a list of texts: \"main\" (write it as [\"main\", \"offsite\"])");
    EXPECT_EQ(wrong(one + "repositories = [\"b\", \"b\"]\n"), "6 wal.repositories: named twice: b (name each repository once)");
    EXPECT_EQ(wrong(one + "repositories = [\"b\"]\nrequired = [\"main\"]\n"),
              "7 wal.required: not one of wal.repositories: main (add it there, or remove it here)");
    EXPECT_EQ(wrong(one + "repositories = [1]\n"), "6 wal.repositories: not a list of texts: a list (write it as [\"main\", \"offsite\"])");
}

TEST_F(ConfigTest, ChecksDurationsAndUrls) {
    const std::string hint = " (use a number with us, ms, s, min, h, d or w, such as \"15min\")";
    EXPECT_EQ(wrong("[objective]\nrpo = \"soon\"\n"), "2 objective.rpo: not a duration: \"soon\"" + hint);
    EXPECT_EQ(wrong("[objective]\nrpo = \"0s\"\n"), "2 objective.rpo: not longer than zero: \"0s\"" + hint);
    EXPECT_EQ(wrong("[objective]\nrpo = 15\n"), "2 objective.rpo: a duration without a unit: 15" + hint);
    EXPECT_EQ(wrong("[objective]\nrpo = \"15\"\n"), "2 objective.rpo: a duration without a unit: \"15\"" + hint);
    EXPECT_EQ(wrong("[objective]\nrpo = 9223372036854775807\n"), "2 objective.rpo: not a duration: 9223372036854775807" + hint);
    EXPECT_EQ(wrong("[repository.r]\nurl = \"/srv\"\n"), "2 repository.r.url: not a URL: \"/srv\" (write file:///absolute/path)");
    EXPECT_EQ(wrong("[repository.r]\nurl = \"file://srv\"\n"),
              "2 repository.r.url: not an absolute path: \"file://srv\" (write file:///absolute/path)");
    EXPECT_EQ(wrong("[repository.r]\nurl = \"ftp://u:secret@h\"\n"),
              "2 repository.r.url: a store this version does not know: ftp:// (write file:///absolute/path)");
    EXPECT_EQ(wrong("[repository.r]\nkey_file = \"/k\"\n"), "1 repository.r.url: missing (add url = \"file:///absolute/path\")");
}

TEST_F(ConfigTest, SaysWhereTheTomlIsBroken) {
    for (const char* broken :
         {"[state]\ndirectory = \"/a\n", "[backup]\njobs = 99999999999999999999\n", "[backup]\njobs = 1\njobs = 2\n"}) {
        write(broken);
        const ConfigProblem found = problem();
        EXPECT_EQ(found.file, file());
        EXPECT_GE(found.line, 2u) << found.text();
        EXPECT_TRUE(found.what.starts_with("not valid TOML: ")) << found.what;
    }
}

TEST_F(ConfigTest, RefusesSecretsInFilesWithoutRepeatingThem) {
    for (const char* conninfo :
         {"host=a password=hunter2", "host=a password = 'hunter2'", "postgresql://u:hunter2@h/d", "postgresql://h/d?password=hunter2"}) {
        const std::string found = wrong("[cluster.main]\nconninfo = \"" + std::string(conninfo) + "\"\n");
        EXPECT_TRUE(found.starts_with("2 cluster.main.conninfo: a password in a file (use a passfile")) << found;
        EXPECT_EQ(found.find("hunter2"), std::string::npos);
    }
    const std::string found = wrong("[repository.r]\nurl = \"file:///r\"\npassphrase = \"hunter2\"\n");
    EXPECT_TRUE(found.starts_with("3 repository.r.passphrase: a passphrase in this file (use passphrase_file")) << found;
    EXPECT_EQ(found.find("hunter2"), std::string::npos);
}

TEST_F(ConfigTest, CollectsEveryProblemOrThrowsTheFirst) {
    write("[backup]\njobs = \"x\"\nlevel = 2\n");
    write_beside("a.toml", "[log]\nlevel = 5\n");
    std::vector<ConfigProblem> problems;
    load_config(file(), &problems);
    ASSERT_EQ(problems.size(), 3u);
    EXPECT_EQ(problems[2].file, folder_.path() / "conf.d" / "a.toml");
    EXPECT_EQ(problems[2].text(), (folder_.path() / "conf.d" / "a.toml").string() + ":2: log.level: not a text: 5");
    try {
        load_config(file());
        ADD_FAILURE() << "it loaded";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.kind(), FailureKind::configuration);
        EXPECT_EQ(failure.what(), "configuration failed: " + file().string() + ":2: backup.jobs: not a whole number: \"x\"");
        EXPECT_FALSE(failure.hint().empty());
    }
}

TEST_F(ConfigTest, KeepsTheDefaultWhereAValueIsWrong) {
    write("[backup]\njobs = 300\n");
    std::vector<ConfigProblem> problems;
    EXPECT_EQ(load_config(file(), &problems).backup.jobs, 0u);
}

TEST_F(ConfigTest, FailsOnANamedFileThatIsNotThere) {
    std::vector<ConfigProblem> problems;
    EXPECT_THROW(load_config(file(), &problems), Failure);
}

TEST_F(ConfigTest, SaysWhichFileCannotBeRead) {
    const auto nobody = find_user("nobody");
    if (::geteuid() != 0 || !nobody) GTEST_SKIP() << "only root can become a user without access";
    write("");
    write_beside("secret.toml", "");
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::permissions(folder_.path() / "conf.d", fs::perms(0755));
    fs::permissions(file(), fs::perms(0644));
    const pid_t child = ::fork();
    if (child == 0) {
        become(*nobody);
        std::vector<ConfigProblem> problems;
        load_config(file(), &problems);
        const bool right = problems.size() == 1 && problems[0].file.filename() == "secret.toml" &&
                           problems[0].what.find("Permission denied") != std::string::npos;
        ::_exit(right ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST_F(ConfigTest, TakesEverySettingFromTheEnvironment) {
    write("[cluster.shop-eu]\nconninfo = \"host=a\"\n");
    set("HOWDAH_CLUSTER_SHOP_EU_CONNINFO", "host=b password=secret");
    set("HOWDAH_CLUSTER_NEW_ONE_DATA_DIRECTORY", "/data");
    set("HOWDAH_REPOSITORY_MAIN_URL", "file:///r");
    set("HOWDAH_REPOSITORY_MAIN_PASSPHRASE", "correct horse");
    set("HOWDAH_STATE_DIRECTORY", "/s");
    set("HOWDAH_BACKUP_JOBS", "7");
    set("HOWDAH_BACKUP_CHECKPOINT_SPREAD", "on");
    set("HOWDAH_OBJECTIVE_RPO", "1h");
    const Config config = load();
    EXPECT_EQ(config.clusters.size(), 2u);
    EXPECT_EQ(config.cluster("shop-eu").conninfo, "host=b password=secret");
    EXPECT_EQ(config.cluster("new_one").data_directory, "/data");
    EXPECT_EQ(config.cluster("new_one").name, "new_one");
    EXPECT_EQ(config.repository().url, "file:///r");
    EXPECT_EQ(config.repository().passphrase, "correct horse");
    EXPECT_EQ(config.state.directory, "/s");
    EXPECT_EQ(config.backup.jobs, 7u);
    EXPECT_TRUE(config.backup.checkpoint_spread);
    EXPECT_EQ(config.objective.rpo, Duration(1h));
}

TEST_F(ConfigTest, KnowsTheVariablesThatAreNoSettings) {
    write("");
    for (const char* name : {"HOWDAH_PG_BIN", "HOWDAH_FAULT", "HOWDAH_GUARDS_OFF", "HOWDAH_CONFIG", "HOWDAH_VERSION_TESTS", "HOWDAH_JOBS",
                             "HOWDAH_USER", "HOWDAH_TEST_X"})
        set(name, "x");
    load();
}

TEST_F(ConfigTest, SaysWhichVariableIsWrong) {
    write("");
    const auto wrong_variable = [this](const std::string& name, const std::string& value) {
        ::setenv(name.c_str(), value.c_str(), 1);
        const std::string text = problem().text();
        ::unsetenv(name.c_str());
        return text;
    };
    EXPECT_EQ(wrong_variable("HOWDAH_BACKUP_JOBS", "99999999999999999999"),
              "environment: HOWDAH_BACKUP_JOBS: out of range: 99999999999999999999\nHINT: use 0 to 256");
    EXPECT_EQ(wrong_variable("HOWDAH_BACKUP_JOBS", ""), "environment: HOWDAH_BACKUP_JOBS: not a whole number: \"\"");
    EXPECT_EQ(wrong_variable("HOWDAH_BACKUP_JOB", "1"),
              "environment: HOWDAH_BACKUP_JOB: unknown variable\nHINT: did you mean HOWDAH_BACKUP_JOBS?");
    EXPECT_EQ(wrong_variable("HOWDAH_CLUSTER_MAIN_CONINFO", "x"),
              "environment: HOWDAH_CLUSTER_MAIN_CONINFO: unknown variable\nHINT: did you mean HOWDAH_CLUSTER_MAIN_CONNINFO?");
    EXPECT_EQ(wrong_variable("HOWDAH_CLUSTER_" + std::string(64, 'A') + "_CONNINFO", "x").substr(0, 27), "environment: HOWDAH_CLUSTER");
}

TEST_F(ConfigTest, DatabaseUrlIsTheMainClusterWhenNoneIsConfigured) {
    write("");
    set("DATABASE_URL", "postgresql://u:p@h/d");
    EXPECT_EQ(load().cluster("").conninfo, "postgresql://u:p@h/d");
    EXPECT_EQ(load().cluster("").name, "main");
    write("[cluster.main]\ndata_directory = \"/d\"\n");
    EXPECT_EQ(load().cluster("main").conninfo, "postgresql://u:p@h/d");
    write("[cluster.main]\nconninfo = \"host=a\"\n");
    EXPECT_EQ(load().cluster("main").conninfo, "host=a");
    write("[cluster.prod]\nconninfo = \"host=a\"\n");
    EXPECT_EQ(load().clusters.size(), 1u);
}

TEST_F(ConfigTest, SaysWhichClustersThereAre) {
    const auto failing = [](const Config& config, const std::string& name) {
        try {
            return config.cluster(name).name;
        } catch (const Failure& failure) {
            // A name left out where there are several is wrong use of the command line.
            EXPECT_EQ(failure.kind(), name.empty() && !config.clusters.empty() ? FailureKind::usage : FailureKind::configuration);
            return failure.text();
        }
    };
    Config config;
    EXPECT_TRUE(failing(config, "").starts_with("no cluster is configured\nHINT: "));
    config.clusters["a"].name = "a";
    EXPECT_EQ(failing(config, ""), "a");
    EXPECT_EQ(failing(config, "x"), "no such cluster: x\nHINT: configured: a");
    config.clusters["b"].name = "b";
    EXPECT_EQ(failing(config, ""), "no cluster was named: there are a, b\nHINT: add --cluster NAME");
}

TEST_F(ConfigTest, DescribesEverySettingWithItsOriginAndNoSecret) {
    write("[cluster.main]\nconninfo = \"host=a\"\n[repository.r]\nurl = \"file:///r\"\n[objective]\nrpo = \"90s\"\n");
    set("HOWDAH_CLUSTER_MAIN_CONNINFO", "host=b password=hunter2");
    set("HOWDAH_REPOSITORY_R_PASSPHRASE", "hunter3");
    const std::string text = describe_config(load());
    const auto has = [&](const std::string& line) {
        EXPECT_NE(("\n" + text).find("\n" + line + "\n"), std::string::npos) << line << " in\n" << text;
    };
    has("cluster.main.conninfo = \"host=b password=***\"  # environment HOWDAH_CLUSTER_MAIN_CONNINFO");
    has("cluster.main.data_directory = \"\"  # default");
    has("repository.r.url = \"file:///r\"  # " + file().string() + ":4");
    has("repository.r.passphrase = \"***\"  # environment HOWDAH_REPOSITORY_R_PASSPHRASE");
    has("objective.rpo = \"90s\"  # " + file().string() + ":6");
    has("objective.backup_age = \"26h\"  # default");
    has("backup.checkpoint_spread = false  # default");
    has("backup.compression_level = 1  # default");
    EXPECT_EQ(text.find("hunter"), std::string::npos);
}

TEST_F(ConfigTest, TheInitialFileIsSound) {
    write(initial_config());
    const Config config = load();
    EXPECT_EQ(config.cluster("").conninfo, "host=/var/run/postgresql user=postgres");
    EXPECT_EQ(config.repository().url, "file:///var/lib/howdah/repository");
    EXPECT_EQ(config.state.directory, "/var/lib/howdah");
    EXPECT_EQ(initial_config().find("passphrase ="), std::string::npos);
}

TEST_F(ConfigTest, TheStateFolderIsTheConfiguredOne) {
    Config config;
    config.state.directory = folder_.path() / "a" / "state";
    EXPECT_EQ(state_directory(config), config.state.directory);
    struct stat status{};
    ASSERT_EQ(::stat(config.state.directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700u);
}

TEST_F(ConfigTest, TheStateFolderIsTheUsersWhereTheConfiguredOneIsNotWritable) {
    const auto nobody = find_user("nobody");
    if (::geteuid() != 0 || !nobody) GTEST_SKIP() << "only root can become a user without access";
    Config config;
    config.state.directory = folder_.path() / "locked" / "state";
    fs::create_directories(config.state.directory.parent_path());
    fs::create_directories(folder_.path() / "home");
    fs::permissions(folder_.path(), fs::perms(0755));
    ASSERT_EQ(::chown((folder_.path() / "home").c_str(), nobody->uid, nobody->gid), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        become(*nobody);
        ::setenv("HOME", (folder_.path() / "home").c_str(), 1);
        const bool in_home = state_directory(config) == folder_.path() / "home" / ".local/state/howdah";
        ::setenv("XDG_STATE_HOME", (folder_.path() / "home" / "xdg").c_str(), 1);
        const bool in_xdg = state_directory(config) == folder_.path() / "home" / "xdg" / "howdah";
        bool refused = false;
        ::setenv("XDG_STATE_HOME", config.state.directory.parent_path().c_str(), 1);
        try {
            state_directory(config);
        } catch (const Failure& failure) {
            refused = failure.kind() == FailureKind::configuration;
        }
        ::_exit((in_home ? 0 : 1) + (in_xdg ? 0 : 2) + (refused ? 0 : 4));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace howdah::base
