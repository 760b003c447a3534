#include "seeded_problems.hpp"
#include "support/protected_server.hpp"

namespace howdah::preflight {
namespace {

using postgres::ScratchServer;
using postgres::Session;

Options options_for(const tests::ProtectedServer& server) {
    Options options;
    options.cluster = server.config().cluster("");
    options.repository = server.config().repository();
    options.prove_archiving = true;
    return options;
}

TEST(PreflightArchiving, is_proven_by_a_switched_segment) {
    tests::ProtectedServer server;
    const auto findings = check(options_for(server));
    const auto proven = finding_of(findings, "archiving_proven");
    EXPECT_EQ(proven.severity, Severity::ok) << proven.value;
    EXPECT_EQ(finding_of(findings, "archiving").severity, Severity::ok) << finding_of(findings, "archiving").value;
    EXPECT_EQ(finding_of(findings, "repository").severity, Severity::ok) << finding_of(findings, "repository").value;
    EXPECT_EQ(finding_of(findings, "repository_encryption").severity, Severity::ok);
    EXPECT_EQ(finding_of(findings, "clock_repository").severity, Severity::ok);
    EXPECT_EQ(finding_of(findings, "wal_gaps").severity, Severity::ok);
    EXPECT_EQ(finding_of(findings, "repository_place").severity, Severity::warning) << "it lies beside the data directory";
    EXPECT_EQ(finding_of(findings, "latest_backup").severity, Severity::critical);
    finding_of(findings, "disk_repository");
    for (const auto& finding : findings)
        EXPECT_EQ(finding.value.find("could not look"), std::string::npos) << finding.check << ": " << finding.value;

    server.howdah_ok({"backup", "run", "--type", "full"});
    const auto later = check(options_for(server));
    EXPECT_EQ(finding_of(later, "latest_backup").severity, Severity::ok) << finding_of(later, "latest_backup").value;
}

TEST(PreflightArchiving, that_fails_is_found_by_the_archiver_and_by_the_proof) {
    tests::ProtectedServer server;
    auto owner = server.session();
    owner.query("ALTER SYSTEM SET archive_command = 'false'");
    owner.query("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] { return server.session().value("SHOW archive_command") == "false"; }));
    const auto proven = finding_of(check(options_for(server)), "archiving_proven");
    EXPECT_EQ(proven.severity, Severity::critical);
    EXPECT_FALSE(proven.advice.empty());
    EXPECT_TRUE(eventually([&] { return server.session().value("SELECT failed_count > 0 FROM pg_stat_archiver") == "t"; }));
    auto options = options_for(server);
    options.prove_archiving = false;
    const auto findings = check(options);
    EXPECT_EQ(finding_of(findings, "archiver").severity, Severity::critical) << finding_of(findings, "archiver").value;
    EXPECT_NE(finding_of(findings, "archive_backlog").value, "none");
    EXPECT_EQ(finding_of(findings, "archiving").severity, Severity::notice);
}

}  // namespace
}  // namespace howdah::preflight
