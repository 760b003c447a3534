#include "seeded_problems.hpp"

namespace howdah::preflight {
namespace {

using namespace std::chrono_literals;
using postgres::ScratchServer;
using postgres::Session;

TEST(PreflightStandby, is_seen_from_both_sides_and_its_lag_is_measured) {
    ScratchServer primary(small_server());
    const auto directory = primary.workspace() / "standby";
    const auto copied = primary.run("pg_basebackup", {"-D", directory.string(), "-R", "-X", "stream", "-c", "fast"});
    ASSERT_EQ(copied.exit_code, 0) << copied.errors;
    auto adopting = small_server({{"primary_conninfo", primary.conninfo() + " application_name=copy"}});
    adopting.directory = directory;
    auto standby = ScratchServer::adopt(adopting);
    ASSERT_TRUE(eventually(
        [&] { return Session(primary.conninfo()).value("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"; }));
    ASSERT_TRUE(eventually([&] { return look_for(standby, "standby").severity == Severity::ok; }));
    EXPECT_EQ(look_for(primary, "replica_copy").severity, Severity::ok) << look_for(primary, "replica_copy").value;

    const auto findings = check(options_for(standby));
    for (const auto& finding : findings)
        EXPECT_EQ(finding.value.find("could not look"), std::string::npos) << finding.check << ": " << finding.value;
    EXPECT_EQ(finding_of(findings, "autovacuum").severity, Severity::ok);

    // A standby knows how old its data are only once it has replayed a commit.
    Session(primary.conninfo()).script("CREATE TABLE public.first (id int)");
    ASSERT_TRUE(
        eventually([&] { return Session(standby.conninfo()).value("SELECT count(*) FROM pg_class WHERE relname = 'first'") == "1"; }));
    Session(standby.conninfo()).query("SELECT pg_wal_replay_pause()");
    Session(primary.conninfo()).script("CREATE TABLE public.t AS SELECT generate_series(1, 1000)");
    auto impatient = options_for(primary);
    impatient.thresholds.replica_lag = 1us;
    EXPECT_TRUE(eventually([&] { return finding_of(check(impatient), "replica_copy").severity == Severity::warning; }));
    impatient = options_for(standby);
    impatient.thresholds.replica_lag = 1us;
    EXPECT_TRUE(eventually([&] { return finding_of(check(impatient), "standby").severity == Severity::warning; }));

    primary.stop("immediate");
    EXPECT_TRUE(eventually([&] { return look_for(standby, "standby").value == "not connected to its primary"; }));
    standby.stop("immediate");
}

}  // namespace
}  // namespace howdah::preflight
