#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "base/file.hpp"
#include "seeded_problems.hpp"

namespace howdah::preflight {
namespace {

using namespace std::chrono_literals;
using postgres::ScratchServer;
using postgres::Session;

/// One server for all; each test removes what it seeds.
class PreflightServer : public testing::Test {
protected:
    static void SetUpTestSuite() {
        server_ = new ScratchServer(
            small_server({{"max_connections", "20"}, {"max_prepared_transactions", "2"}, {"max_replication_slots", "4"}}));
    }
    static void TearDownTestSuite() {
        delete server_;
        server_ = nullptr;
    }
    Session session() const { return Session(server_->conninfo()); }
    Options options() const { return options_for(*server_); }

    static ScratchServer* server_;
};
ScratchServer* PreflightServer::server_ = nullptr;

TEST_F(PreflightServer, everything_is_looked_at_on_a_fresh_one) {
    const auto before = session().value(
        "SELECT pg_walfile_name(pg_current_wal_lsn()) || md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings");
    const auto findings = check(options());
    for (const auto& finding : findings) {
        EXPECT_EQ(finding.value.find("could not look"), std::string::npos) << finding.check << ": " << finding.value;
        EXPECT_FALSE(finding.what.empty()) << finding.check;
        EXPECT_EQ(finding.advice.empty(), finding.severity == Severity::ok) << finding.check;
    }
    for (const char* check : {"version",
                              "rights",
                              "data_directory",
                              "wal_level",
                              "full_page_writes",
                              "fsync",
                              "data_checksums",
                              "checksum_failures",
                              "pending_restart",
                              "unlogged_tables",
                              "archiver",
                              "archive_backlog",
                              "long_transactions",
                              "idle_in_transaction",
                              "prepared_transactions",
                              "connections",
                              "autovacuum",
                              "dead_rows",
                              "transaction_age",
                              "replicas",
                              "slots",
                              "tls",
                              "own_connection",
                              "password_encryption",
                              "pg_hba_trust",
                              "clock_server"})
        EXPECT_EQ(finding_of(findings, check).severity, Severity::ok) << check << ": " << finding_of(findings, check).value;
    for (const char* check : {"disk_data", "disk_wal", "disk_temp", "pg_stat_statements"}) finding_of(findings, check);
    EXPECT_EQ(session().value(
                  "SELECT pg_walfile_name(pg_current_wal_lsn()) || md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings"),
              before);
}

TEST_F(PreflightServer, archiving_off_and_no_repository_are_found) {
    const auto findings = check(options());
    EXPECT_EQ(finding_of(findings, "archiving").severity, Severity::critical);
    EXPECT_EQ(finding_of(findings, "archive_timeout").severity, Severity::critical);
    EXPECT_EQ(finding_of(findings, "repository").severity, Severity::warning);
    EXPECT_EQ(finding_of(findings, "archiving_proven").severity, Severity::notice);
}

TEST_F(PreflightServer, a_long_and_an_idle_transaction_are_named) {
    auto sleeper = session();
    sleeper.script("BEGIN; SELECT txid_current()");
    auto wanted = options();
    wanted.thresholds.long_transaction = 0us;
    const auto findings = check(wanted);
    for (const char* name : {"long_transactions", "idle_in_transaction"}) {
        const auto finding = finding_of(findings, name);
        EXPECT_EQ(finding.severity, Severity::warning) << name;
        EXPECT_NE(finding.value.find(fmt::format("pid {} ", sleeper.backend_pid())), std::string::npos) << finding.value;
    }
    wanted.thresholds.very_long_transaction = 0us;
    EXPECT_EQ(finding_of(check(wanted), "long_transactions").severity, Severity::critical);
    EXPECT_EQ(look_for(*server_, "long_transactions").severity, Severity::ok) << "younger than five minutes";
    sleeper.script("ROLLBACK");
}

TEST_F(PreflightServer, a_prepared_transaction_is_named) {
    auto manager = session();
    manager.script("BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'forgotten'");
    EXPECT_EQ(look_for(*server_, "prepared_transactions").severity, Severity::notice);
    auto wanted = options();
    wanted.thresholds.long_transaction = 0us;
    EXPECT_NE(finding_of(check(wanted), "prepared_transactions").value.find("\"forgotten\""), std::string::npos);
    manager.script("ROLLBACK PREPARED 'forgotten'");
}

TEST_F(PreflightServer, an_inactive_slot_is_found_with_the_wal_it_holds) {
    auto owner = session();
    owner.query("SELECT pg_create_physical_replication_slot('left_behind', true)");
    const auto findings = check(options());
    EXPECT_EQ(finding_of(findings, "slot_left_behind").severity, Severity::warning);
    EXPECT_NE(finding_of(findings, "slot_left_behind").value.find("not in use"), std::string::npos);
    EXPECT_EQ(finding_of(findings, "max_slot_wal_keep_size").severity, Severity::notice);
    owner.query("SELECT pg_drop_replication_slot('left_behind')");
    EXPECT_EQ(look_for(*server_, "slots").severity, Severity::ok);
}

TEST_F(PreflightServer, connections_that_run_out_are_found) {
    std::vector<Session> sessions;
    for (int i = 0; i < 16; ++i) sessions.push_back(session());
    const auto finding = look_for(*server_, "connections");
    EXPECT_EQ(finding.severity, Severity::warning) << finding.value;
    EXPECT_TRUE(finding.value.starts_with("17 of 20")) << finding.value;
}

TEST_F(PreflightServer, a_role_without_rights_gets_findings_and_no_abort) {
    auto owner = session();
    owner.script("CREATE ROLE weak LOGIN");
    auto wanted = options();
    wanted.cluster.conninfo += " user=weak";
    wanted.cluster.data_directory.clear();
    const auto findings = check(wanted);
    EXPECT_EQ(finding_of(findings, "rights").severity, Severity::critical);
    EXPECT_NE(finding_of(findings, "rights").advice.find("GRANT EXECUTE"), std::string::npos);
    EXPECT_EQ(finding_of(findings, "data_directory").value, "unknown");
    for (const char* hidden : {"archive_backlog", "pg_hba_trust", "autovacuum"})
        EXPECT_TRUE(finding_of(findings, hidden).value.starts_with("could not look: "))
            << hidden << ": " << finding_of(findings, hidden).value;
    EXPECT_EQ(finding_of(findings, "wal_level").severity, Severity::ok);
    EXPECT_EQ(finding_of(findings, "clock_server").severity, Severity::ok);
    owner.script("DROP ROLE weak");
}

TEST_F(PreflightServer, a_monitoring_role_that_may_back_up_is_enough) {
    auto owner = session();
    owner.script(
        "CREATE ROLE keeper LOGIN; GRANT pg_monitor TO keeper;"
        "DO $$ BEGIN IF current_setting('server_version_num')::int >= 150000 THEN"
        " GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean), pg_switch_wal() TO keeper;"
        " ELSE GRANT EXECUTE ON FUNCTION pg_start_backup(text, boolean, boolean), pg_stop_backup(boolean, boolean), pg_switch_wal() TO keeper; END IF; END $$");
    auto wanted = options();
    wanted.cluster.conninfo += " user=keeper";
    const auto findings = check(wanted);
    EXPECT_EQ(finding_of(findings, "rights").severity, Severity::ok) << finding_of(findings, "rights").value;
    EXPECT_EQ(finding_of(findings, "data_directory").severity, Severity::ok);
    EXPECT_EQ(finding_of(findings, "disk_data").value.find("could not look"), std::string::npos) << finding_of(findings, "disk_data").value;
    EXPECT_NE(finding_of(findings, "pg_hba_trust").advice.find("GRANT SELECT ON pg_hba_file_rules"), std::string::npos);
    owner.script("GRANT SELECT ON pg_hba_file_rules TO keeper; GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO keeper");
    for (const auto& finding : check(wanted))
        EXPECT_EQ(finding.value.find("could not look"), std::string::npos) << finding.check << ": " << finding.value;
    owner.script("DROP OWNED BY keeper; DROP ROLE keeper");
}

TEST_F(PreflightServer, a_table_that_autovacuum_leaves_alone_is_named_in_its_database) {
    session().script("CREATE DATABASE shop");
    {
        Session shop(server_->conninfo("shop"));
        shop.script(
            "CREATE TABLE public.cart (id int) WITH (autovacuum_enabled = false); CREATE UNLOGGED TABLE public.scratchpad (id int)");
        shop.script("INSERT INTO public.cart SELECT generate_series(1, 1000)");
        shop.script("DELETE FROM public.cart");
    }
    auto wanted = options();
    wanted.thresholds.dead_rows = 500;
    Finding finding;
    EXPECT_TRUE(eventually([&] { return (finding = finding_of(check(wanted), "dead_rows")).severity == Severity::warning; }));
    EXPECT_NE(finding.value.find("public.cart in shop: 1,000 dead, 0 live, autovacuum off for it"), std::string::npos) << finding.value;
    EXPECT_TRUE(look_for(*server_, "unlogged_tables").value.starts_with("1 in shop"));
    session().script("DROP DATABASE shop");
}

TEST_F(PreflightServer, trust_for_other_hosts_is_found_before_it_is_loaded) {
    const auto hba = std::filesystem::path(session().value("SHOW hba_file"));
    const auto old = base::read_file(hba);
    {
        std::ofstream file(hba, std::ios::app);
        file << "\nhost all all 0.0.0.0/0 trust\nhost all all 10.0.0.0/8 password\n";
    }
    const auto findings = check(options());
    EXPECT_EQ(finding_of(findings, "pg_hba_trust").severity, Severity::critical);
    EXPECT_NE(finding_of(findings, "pg_hba_trust").value.find("host all all 0.0.0.0 0.0.0.0 trust"), std::string::npos)
        << finding_of(findings, "pg_hba_trust").value;
    EXPECT_EQ(finding_of(findings, "pg_hba_password").severity, Severity::warning);
    std::ofstream(hba, std::ios::trunc) << old;
}

TEST_F(PreflightServer, dangerous_settings_and_pending_ones_are_found) {
    auto owner = session();
    for (const char* setting :
         {"fsync = off", "full_page_writes = off", "autovacuum = off", "password_encryption = 'md5'", "max_connections = 30"})
        owner.query(std::string("ALTER SYSTEM SET ") + setting);
    owner.query("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] {
        return session().value("SELECT count(*) FROM pg_settings WHERE pending_restart") == "1" &&
               session().value("SHOW autovacuum") == "off";
    }));
    const auto findings = check(options());
    for (const char* critical : {"fsync", "full_page_writes", "autovacuum"})
        EXPECT_EQ(finding_of(findings, critical).severity, Severity::critical) << critical;
    EXPECT_EQ(finding_of(findings, "password_encryption").severity, Severity::warning);
    EXPECT_EQ(finding_of(findings, "pending_restart").value, "max_connections");
    for (const char* setting : {"fsync", "full_page_writes", "autovacuum", "password_encryption"})
        owner.query(std::string("ALTER SYSTEM RESET ") + setting);
    owner.query("ALTER SYSTEM SET max_connections = 20");
    owner.query("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] { return session().value("SHOW fsync") == "on"; }));
}

TEST_F(PreflightServer, another_clusters_data_directory_is_found) {
    const ScratchServer other(small_server());
    auto wanted = options();
    wanted.cluster.data_directory = other.data_directory();
    EXPECT_EQ(finding_of(check(wanted), "data_directory").severity, Severity::critical);
    wanted.cluster.data_directory = "/no/such/folder";
    const auto findings = check(wanted);
    EXPECT_NE(finding_of(findings, "data_directory").value.find("does not exist"), std::string::npos);
    EXPECT_TRUE(finding_of(findings, "disk_data").value.starts_with("could not look: "));
}

TEST_F(PreflightServer, no_connection_at_all_is_a_failure_of_the_server) {
    auto wanted = options();
    wanted.cluster.conninfo = "host=/no/such/folder user=postgres";
    try {
        check(wanted);
        FAIL() << "no failure";
    } catch (const base::Failure& failure) {
        EXPECT_EQ(failure.kind(), base::FailureKind::server);
    }
}

TEST_F(PreflightServer, a_missing_repository_is_critical_and_the_rest_is_looked_at) {
    auto wanted = options();
    wanted.repository = base::RepositoryConfig{"main", "file:///no/such/repository", "/no/such/key", {}, {}};
    wanted.prove_archiving = true;
    const auto findings = check(wanted);
    EXPECT_EQ(finding_of(findings, "repository").severity, Severity::critical);
    EXPECT_EQ(finding_of(findings, "archiving_proven").severity, Severity::critical);
    EXPECT_EQ(finding_of(findings, "clock_server").severity, Severity::ok);
}

}  // namespace
}  // namespace howdah::preflight
