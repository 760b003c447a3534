// T13 to T15: pg_control, the label and the WAL that make a copy a backup.
#include "fixture.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

TEST(Trap, T13_control_last) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    {
        HeldBackup held(protectee, "backup.copied");
        // The copied pg_control begins recovery here: a start without the label would miss what the copy saw before.
        protectee.session().script("INSERT INTO shop VALUES (1001, 'during'); CHECKPOINT");
        ASSERT_EQ(held.finish().exit_code, 0);
    }
    const auto into = protectee.workspace() / "restored";
    const std::vector<std::string> restore{"restore", "--into", into.string()};
    EXPECT_EQ(protectee.howdah(restore, {{"HOWDAH_FAULT", "restore.recovery_written"}}).exit_code, 128 + 9);
    EXPECT_FALSE(fs::exists(into / "global" / "pg_control"));
    EXPECT_THROW(protectee.start_restored(into), base::Failure) << "a half restored cluster runs";
    protectee.howdah_ok(restore);
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "shop"), "1001");
}

TEST(Trap, T14_same_session) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    HeldBackup held(protectee, "backup.copied");
    for (const char* name : {"backup_label", "tablespace_map"})
        EXPECT_FALSE(fs::exists(protectee.server().data_directory() / name)) << name;
    EXPECT_EQ(
        protectee.session().value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'howdah backup'"),
        "1");
    const auto result = held.finish();
    EXPECT_EQ(result.exit_code, static_cast<int>(base::FailureKind::server)) << result.errors;
    EXPECT_NE(result.errors.find("HINT"), std::string::npos) << result.errors;
    EXPECT_EQ(protectee.howdah_json({"backup", "list"})["backups"].size(), 0u);
}

TEST(Trap, T15_await_stop_wal) {
    ProtectedServer::Options options;
    options.archiving = false;
    options.scratch.settings["archive_command"] = "false";
    ProtectedServer protectee(options);
    make_shop(protectee, 1000);
    const auto backup = protectee.howdah_json({"backup", "run"})["backup"];
    for (const char* end : {"first_segment", "last_segment"})
        EXPECT_FALSE(objects_named(protectee, backup[end]).empty()) << end << " is not in the repository";
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "shop"), "1000");
}

}  // namespace
}  // namespace howdah::tests
