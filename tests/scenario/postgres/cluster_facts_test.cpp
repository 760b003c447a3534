#include "postgres/cluster_facts.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "base/file.hpp"
#include "postgres/scratch.hpp"

namespace howdah::postgres {
namespace {

class FactsTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        ScratchOptions options;
        options.wal_segment_mib = 1;
        options.settings = {{"wal_level", "replica"}, {"archive_mode", "off"}, {"archive_command", "keep '%p'"}};
        server_ = std::make_unique<ScratchServer>(options);
        Session admin(server_->conninfo());
        admin.script(
            "CREATE ROLE plain LOGIN; CREATE ROLE howdah LOGIN; GRANT pg_monitor TO howdah; "
            "GRANT EXECUTE ON FUNCTION pg_switch_wal(), pg_create_restore_point(text) TO howdah");
        admin.script(admin.major() >= 15
                         ? "GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean) TO howdah"
                         : "GRANT EXECUTE ON FUNCTION pg_start_backup(text, boolean, boolean), pg_stop_backup(boolean, boolean) TO howdah");
    }
    static void TearDownTestSuite() { server_.reset(); }
    static Session as(const std::string& role) { return Session(server_->conninfo() + " user=" + role); }

    static std::unique_ptr<ScratchServer> server_;
};
std::unique_ptr<ScratchServer> FactsTest::server_;

TEST_F(FactsTest, SuperuserSeesAll) {
    Session session = as("postgres");
    const ClusterFacts facts = read_cluster_facts(session);
    EXPECT_EQ(facts.version, session.version());
    EXPECT_EQ(base::text(facts.system_identifier), session.value("SELECT system_identifier FROM pg_control_system()"));
    EXPECT_EQ(facts.data_directory, server_->data_directory());
    EXPECT_EQ(facts.hba_file.filename(), "pg_hba.conf");
    EXPECT_FALSE(facts.in_recovery);
    EXPECT_EQ(facts.timeline.value, 1U);
    EXPECT_EQ(facts.wal_segment_size, 1U << 20);
    EXPECT_TRUE(facts.data_checksums);
    EXPECT_TRUE(facts.superuser);
    EXPECT_TRUE(facts.may_backup);
    EXPECT_EQ(facts.archive_mode, "off");
    EXPECT_EQ(facts.archive_command, "keep '%p'");
    EXPECT_EQ(facts.wal_level, "replica");
    const auto distance = std::chrono::system_clock::now() - facts.now;
    EXPECT_LT(std::chrono::abs(distance), std::chrono::seconds(60));
}

TEST_F(FactsTest, TheBackupRoleOfTheGuideBacksUp) {
    Session session = as("howdah");
    const ClusterFacts facts = read_cluster_facts(session);
    EXPECT_FALSE(facts.superuser);
    EXPECT_TRUE(facts.may_backup);
    EXPECT_EQ(facts.data_directory, server_->data_directory());
    const BackupStarted started = start_backup(session, "facts 'test'", true);
    const BackupStopped stopped = stop_backup(session);
    EXPECT_GT(started.start, base::Lsn{});
    EXPECT_GE(stopped.stop, started.start);
    EXPECT_GE(stopped.time, started.time);
    EXPECT_EQ(started.timeline.value, 1U);
    EXPECT_NE(stopped.backup_label.find("LABEL: facts 'test'"), std::string::npos) << stopped.backup_label;
    EXPECT_NE(stopped.backup_label.find("START WAL LOCATION: " + base::text(started.start)), std::string::npos) << stopped.backup_label;
    EXPECT_EQ(stopped.tablespace_map, "");
    session.query("SELECT pg_switch_wal()");
}

TEST_F(FactsTest, ARoleWithoutRightsIsToldSo) {
    Session session = as("plain");
    const ClusterFacts facts = read_cluster_facts(session);
    EXPECT_FALSE(facts.superuser);
    EXPECT_FALSE(facts.may_backup);
    EXPECT_TRUE(facts.data_directory.empty());
    EXPECT_EQ(facts.wal_segment_size, 1U << 20);
    try {
        start_backup(session, "refused", true);
        FAIL() << "it was allowed";
    } catch (const ServerFailure& failure) {
        EXPECT_EQ(failure.sqlstate(), "42501");
        EXPECT_NE(failure.hint().find("rights.md"), std::string::npos);
    }
}

TEST_F(FactsTest, ReadsTablespacesAndTheirMap) {
    Session session = as("postgres");
    const auto place = server_->workspace() / "space one";
    std::filesystem::create_directory(place);
    ASSERT_EQ(::chown(place.c_str(), server_->user().uid, server_->user().gid), 0);
    session.query("CREATE TABLESPACE one LOCATION " + session.quote_literal(place.string()));
    const auto tablespaces = read_tablespaces(session);
    ASSERT_EQ(tablespaces.size(), 1U);
    EXPECT_EQ(tablespaces[0].name, "one");
    EXPECT_EQ(tablespaces[0].location, place.string());
    EXPECT_FALSE(tablespaces[0].in_place);
    start_backup(session, "map", true);
    EXPECT_NE(stop_backup(session).tablespace_map.find(std::to_string(tablespaces[0].oid)), std::string::npos);
    session.query("DROP TABLESPACE one");
}

TEST_F(FactsTest, ReadsOneSetting) {
    Session session = as("postgres");
    const auto command = read_setting(session, "archive_command");
    ASSERT_TRUE(command);
    EXPECT_EQ(command->value, "keep '%p'");
    EXPECT_EQ(command->source, "configuration file");
    EXPECT_FALSE(command->pending_restart);
    EXPECT_FALSE(read_setting(session, "no_such_setting"));
}

TEST(Facts, AStandbyAnswersToo) {
    ScratchServer primary(ScratchOptions{});
    const auto copy = primary.workspace() / "standby";
    const auto result = primary.run("pg_basebackup", {"-D", copy.string(), "-c", "fast", "-X", "stream", "-R"});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    ScratchOptions adopted;
    adopted.directory = copy;
    const ScratchServer standby = ScratchServer::adopt(adopted);
    Session session(standby.conninfo());
    const ClusterFacts facts = read_cluster_facts(session);
    EXPECT_TRUE(facts.in_recovery);
    EXPECT_EQ(facts.timeline.value, 1U);
    EXPECT_TRUE(facts.may_backup);
    session.query("SELECT pg_promote()");
    const ClusterFacts promoted = read_cluster_facts(session);
    EXPECT_FALSE(promoted.in_recovery);
    EXPECT_EQ(promoted.timeline.value, 2U);
}

}  // namespace
}  // namespace howdah::postgres
