// Which backup a restore begins with when the newest one does not lead to the target.
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

/// Restores the newest backup's end, promotes it, writes the row 'branch' there and archives that: timeline 2 leaves timeline 1 there.
void branch_off(ProtectedServer& protectee) {
    const auto into = protectee.workspace() / "branch";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    auto server = protectee.start_restored(into);
    auto session = open_session(server);
    session.query("INSERT INTO shop VALUES ('branch')");
    const auto segment = session.value("SELECT pg_walfile_name(pg_switch_wal())");
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = protectee.server().user();
    options.working_directory = into;
    base::run_process_checked(
        "wal push", {protectee.binary().string(), "--config", protectee.config_file().string(), "wal", "push", "pg_wal/" + segment},
        options);
}

TEST(Choice, AnOlderBackupServesWhenTheNewestLeftTheWay) {
    ProtectedServer protectee;
    protectee.session().script("CREATE TABLE shop(note text); INSERT INTO shop VALUES ('first')");
    const std::string older = protectee.howdah_json({"backup", "run"})["backup"]["id"];
    protectee.archive_everything();
    branch_off(protectee);
    protectee.session().script("INSERT INTO shop VALUES ('second')");
    const std::string newer = protectee.howdah_json({"backup", "run"})["backup"]["id"];
    protectee.archive_everything();

    const auto into = protectee.workspace() / "latest";
    const auto restored = protectee.howdah_json({"restore", "--into", into.string(), "--latest"});
    EXPECT_EQ(restored["plan"]["backup"], older);
    EXPECT_EQ(restored["plan"]["timeline"], 2);
    ASSERT_EQ(restored["plan"]["notes"].size(), 1u);
    const std::string note = restored["plan"]["notes"][0];
    EXPECT_EQ(note.find("backup " + newer + " was passed over: timeline 2 left timeline 1"), 0u) << note;
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT string_agg(note, ' ' ORDER BY note) FROM shop"), "branch first");

    const auto own = protectee.howdah_json({"--dry-run", "restore", "--into", (protectee.workspace() / "own").string(), "--timeline", "1"});
    EXPECT_EQ(own["plan"]["backup"], newer);
    EXPECT_TRUE(own["plan"]["notes"].empty());
    const auto named =
        protectee.howdah({"restore", "--into", (protectee.workspace() / "named").string(), "--backup", newer, "--timeline", "2"});
    EXPECT_EQ(named.exit_code, 1);
    EXPECT_NE(named.errors.find("timeline 2 left timeline 1"), std::string::npos) << named.errors;
}

}  // namespace
}  // namespace howdah::tests
