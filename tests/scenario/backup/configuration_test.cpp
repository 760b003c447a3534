// Configuration that lives outside the data directory: into the backup and back.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.hpp"
#include "support/programs.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// Writes a file of the server's user, with the folders above it.
void write_as_server(ProtectedServer& protectee, const fs::path& path, const std::string& text) {
    const auto& user = protectee.server().user();
    base::create_directories_durably(path.parent_path(), 0755);
    base::write_file_durably(path, text, 0644);
    if (::geteuid() == 0 && ::chown(path.c_str(), user.uid, user.gid) != 0) throw std::runtime_error("chown failed: " + path.string());
}

void append_as_server(ProtectedServer& protectee, const fs::path& path, const std::string& text) {
    write_as_server(protectee, path, base::read_file(path) + text);
}

/// A server whose postgresql.conf includes a file that lies elsewhere.
struct WithOutside {
    ProtectedServer protectee;
    fs::path outside = protectee.workspace() / "etc/extra.conf";

    explicit WithOutside(const ProtectedServer::Options& options = {}) : protectee(options) {
        write_as_server(protectee, outside, "work_mem = '7MB'\n");
        append_as_server(protectee, protectee.server().data_directory() / "postgresql.conf", "include '" + outside.string() + "'\n");
        protectee.session().query("SELECT pg_reload_conf()");
    }
};

TEST(OutsideConfiguration, IsPutElsewhereAndAnInterruptedRunGoesOn) {
    WithOutside ground;
    auto& protectee = ground.protectee;
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored", to = protectee.workspace() / "config";
    const auto placed = fs::path(to.string() + ground.outside.string());
    const std::vector<std::string> words{"restore", "--into", into.string(), "--to-backup-end", "--config-to", to.string()};
    EXPECT_NE(protectee.howdah(words, {{"HOWDAH_FAULT", "restore.configured"}}).exit_code, 0);
    EXPECT_EQ(base::read_file(placed), "work_mem = '7MB'\n");
    EXPECT_FALSE(fs::exists(into / "global/pg_control"));
    protectee.howdah_ok(words);
    EXPECT_TRUE(fs::exists(into / "global/pg_control"));
}

TEST(OutsideConfiguration, IsRefusedBeforeAnythingIsCopied) {
    WithOutside ground;
    auto& protectee = ground.protectee;
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored", to = protectee.workspace() / "config";
    write_as_server(protectee, to.string() + ground.outside.string(), "work_mem = '9MB'\n");
    for (const bool dry_run : {true, false}) {
        std::vector<std::string> words{"restore", "--into", into.string(), "--to-backup-end", "--config-to", to.string()};
        if (dry_run) words.emplace_back("--dry-run");
        const auto refused = protectee.howdah(words);
        EXPECT_EQ(refused.exit_code, 1);
        EXPECT_NE(refused.errors.find("there already, with other content"), std::string::npos) << refused.errors;
        EXPECT_FALSE(fs::exists(into));
    }
    const auto closed = protectee.workspace() / "closed";
    fs::create_directory(closed);
    fs::permissions(closed, fs::perms::none);
    for (const fs::path& folder : {fs::path("/proc"), closed / "foo"}) {
        const auto unwritable = protectee.howdah({"restore", "--into", into.string(), "--to-backup-end", "--config-to", folder.string()});
        EXPECT_EQ(unwritable.exit_code, 1);
        EXPECT_NE(unwritable.errors.find("configuration cannot be put"), std::string::npos) << unwritable.errors;
        EXPECT_EQ(unwritable.errors.find("fault of howdah"), std::string::npos) << unwritable.errors;
        EXPECT_FALSE(fs::exists(into));
    }
    const auto both = protectee.howdah({"restore", "--into", into.string(), "--config-to", to.string(), "--start"});
    EXPECT_EQ(both.exit_code, 2);
    EXPECT_NE(both.errors.find("HINT"), std::string::npos) << both.errors;
}

/// Everything that the server's configuration names comes into the backup, and the restored server stands on the copies alone.
TEST(OutsideConfiguration, IsFollowedThroughEveryInclude) {
    ProtectedServer protectee;
    const auto etc = protectee.workspace() / "etc";
    const auto data = protectee.server().data_directory();
    write_as_server(protectee, etc / "first.conf",
                    "include_if_exists 'second.conf'\ninclude_if_exists 'absent.conf'\ninclude_dir 'more'\n");
    write_as_server(protectee, etc / "second.conf", "WORK_MEM = '7MB'\n");
    write_as_server(protectee, etc / "more/third.conf", "maintenance_work_mem = '9MB'\n");
    write_as_server(protectee, etc / "people", "alice\n@more-people\n");
    write_as_server(protectee, etc / "more-people", "bob\n");
    append_as_server(protectee, data / "postgresql.conf", "Include '" + (etc / "first.conf").string() + "'\n");
    append_as_server(protectee, data / "pg_hba.conf", "local all @" + (etc / "people").string() + " trust\n");
    // A folder of the data directory with the name under which the copies are kept.
    write_as_server(protectee, data / "outside" / (etc / "first.conf").relative_path(), "of the data directory\n");
    protectee.session().query("SELECT pg_reload_conf()");

    const auto backup = protectee.howdah_json({"backup", "run"});
    EXPECT_TRUE(backup["warnings"].empty()) << backup["warnings"].dump();
    const auto shown = protectee.howdah_json({"backup", "show", backup["backup"]["id"].get<std::string>()});
    std::set<std::string> outside;
    for (const auto& file : shown["backup"]["outside"])
        outside.insert(fs::path(file["path"].get<std::string>()).lexically_relative(etc).string());
    EXPECT_EQ(outside, (std::set<std::string>{"first.conf", "second.conf", "more/third.conf", "people", "more-people"}));

    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    fs::rename(etc, etc.string() + "-gone");
    auto server = protectee.start_restored(into);
    auto session = open_session(server);
    EXPECT_EQ(session.value("SHOW work_mem"), "7MB");
    EXPECT_EQ(session.value("SHOW maintenance_work_mem"), "9MB");
    EXPECT_EQ(session.value("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL"), "0");
    EXPECT_EQ(
        session.value(
            "SELECT coalesce(string_agg(sourcefile || ': ' || error, ', '), '') FROM pg_file_settings WHERE error IS NOT NULL AND name IS NULL"),
        "");
    EXPECT_EQ(base::read_file(into / "outside" / (etc / "first.conf").relative_path()), "of the data directory\n");
}

/// By the format's words alone, a file outside is never mistaken for one of the data directory, whatever a folder there is called.
TEST(OutsideConfiguration, IsKeptApartInTheRepository) {
    WithOutside ground(ProtectedServer::Options{.encrypted = false, .archiving = true, .scratch = {}});
    auto& protectee = ground.protectee;
    const auto name = ground.outside.relative_path();
    const auto data = protectee.server().data_directory();
    for (const char* folder : {"outside", "howdah-outside"}) write_as_server(protectee, data / folder / name, "of the data directory\n");
    const auto backup = protectee.howdah_json({"backup", "run"});
    const auto read = protectee.workspace() / "read", into = protectee.workspace() / "restored";
    base::run_process_checked("reading by the specification",
                              {"python3", "-B", (source_folder() / "tests/reference/restore.py").string(), protectee.repository().string(),
                               "restore", "main", backup["backup"]["id"].get<std::string>(), read.string()});
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    for (const auto& restored : {read, into})
        for (const char* folder : {"outside", "howdah-outside"})
            EXPECT_EQ(base::read_file(restored / folder / name), "of the data directory\n") << restored;
    EXPECT_EQ(base::read_file((read.string() + "-outside") / name), "work_mem = '7MB'\n");
    EXPECT_EQ(base::read_file(into / "howdah-outside.2" / name), "work_mem = '7MB'\n");
}

TEST(OutsideConfiguration, ThatCannotBeReadIsNamed) {
    WithOutside ground;
    fs::remove(ground.outside);
    const auto backup = ground.protectee.howdah_json({"backup", "run"});
    ASSERT_EQ(backup["warnings"].size(), 1u) << backup["warnings"].dump();
    EXPECT_NE(backup["warnings"][0].get<std::string>().find("left out the configuration file " + ground.outside.string()),
              std::string::npos);
}

}  // namespace
}  // namespace howdah::tests
