#include <gtest/gtest.h>

#include "preflight/activity.hpp"
#include "preflight/archiving.hpp"
#include "preflight/clock.hpp"
#include "preflight/disk.hpp"
#include "preflight/replication.hpp"
#include "preflight/repository.hpp"
#include "preflight/security.hpp"
#include "preflight/server.hpp"
#include "preflight/settings.hpp"
#include "preflight/vacuum.hpp"

namespace howdah::preflight {
namespace {

using namespace std::chrono_literals;
using enum Severity;

const Thresholds kThresholds;
constexpr base::Bytes gib(std::uint64_t count) { return {count << 30}; }

/// Every finding that is not well must say what to do.
const Finding& sound(const Finding& finding) {
    EXPECT_FALSE(finding.check.empty());
    EXPECT_FALSE(finding.value.empty()) << finding.check;
    EXPECT_FALSE(finding.what.empty()) << finding.check;
    EXPECT_EQ(finding.advice.empty(), finding.severity == ok) << finding.check << ": " << finding.value;
    return finding;
}
Severity severity(const Finding& finding) { return sound(finding).severity; }
Severity severity(const Findings& findings, const std::string& check) {
    for (const auto& finding : findings)
        if (sound(finding).check == check) return finding.severity;
    ADD_FAILURE() << "no finding " << check;
    return ok;
}

TEST(Version, from_14_to_18_is_taken_and_others_are_refused) {
    EXPECT_EQ(severity(judge_version(130021, "13.21")), critical);
    EXPECT_EQ(severity(judge_version(140019, "14.19")), notice);
    EXPECT_EQ(judge_version(140019, "14.19").what, "not proven on this version");
    EXPECT_EQ(severity(judge_version(150018, "15.18")), ok);
    EXPECT_EQ(severity(judge_version(170006, "17.6")), ok);
    EXPECT_EQ(severity(judge_version(180000, "18.0")), ok);
    EXPECT_EQ(severity(judge_version(190000, "19beta1")), critical);
}

TEST(Role, missing_rights_name_the_grant_of_the_version) {
    RoleFacts role{"backup", 15, false, true, true, true};
    EXPECT_EQ(severity(judge_role(role)), ok);
    role.may_switch = false;
    EXPECT_EQ(severity(judge_role(role)), warning);
    role.may_monitor = false;
    EXPECT_NE(judge_role(role).advice.find("GRANT pg_monitor"), std::string::npos);
    role.may_backup = false;
    EXPECT_EQ(severity(judge_role(role)), critical);
    EXPECT_NE(judge_role(role).advice.find("pg_backup_start(text, boolean)"), std::string::npos);
    role.server_major = 14;
    EXPECT_NE(judge_role(role).advice.find("pg_start_backup(text, boolean, boolean)"), std::string::npos);
    role.superuser = true;
    EXPECT_EQ(severity(judge_role(role)), ok);
}

TEST(DataDirectory, must_be_here_readable_and_the_servers_own) {
    DataDirectoryFacts facts{"/data", "postgres", true, {}, {7}, base::SystemIdentifier{7}};
    EXPECT_EQ(severity(judge_data_directory(facts)), ok);
    facts.of_another = "the server there is a standby, the connected one a primary";
    EXPECT_EQ(severity(judge_data_directory(facts)), critical);
    facts.of_directory = base::SystemIdentifier{8};
    EXPECT_EQ(severity(judge_data_directory(facts)), critical);
    facts.unreadable = "/data/base";
    EXPECT_EQ(judge_data_directory(facts).value, "/data/base is not readable by postgres");
    facts.exists = false;
    EXPECT_EQ(severity(judge_data_directory(facts)), critical);
    facts.path.clear();
    EXPECT_EQ(severity(judge_data_directory(facts)), warning);
}

TEST(Settings, that_lose_data_are_critical) {
    EXPECT_EQ(severity(judge_wal_level("minimal")), critical);
    EXPECT_EQ(severity(judge_wal_level("replica")), ok);
    EXPECT_EQ(severity(judge_wal_level("logical")), ok);
    EXPECT_EQ(severity(judge_durability("fsync", false)), critical);
    EXPECT_EQ(severity(judge_durability("full_page_writes", true)), ok);
    EXPECT_EQ(severity(judge_checksums(false, {}), "data_checksums"), warning);
    EXPECT_EQ(severity(judge_checksums(true, {}), "checksum_failures"), ok);
    EXPECT_EQ(severity(judge_checksums(true, {{"shop", 3, "2026-11-21 01:02:03Z"}}), "checksum_failures"), critical);
}

TEST(Statements, tell_available_from_preloaded_from_installed) {
    EXPECT_EQ(severity(judge_statements({true, "1.10", {"shop"}})), ok);
    EXPECT_NE(judge_statements({true, "1.10", {}}).advice.find("CREATE EXTENSION"), std::string::npos);
    EXPECT_NE(judge_statements({false, "1.10", {}}).advice.find("shared_preload_libraries"), std::string::npos);
    EXPECT_NE(judge_statements({false, {}, {}}).advice.find("contrib"), std::string::npos);
    EXPECT_EQ(severity(judge_pending_restart({})), ok);
    EXPECT_EQ(severity(judge_pending_restart({"archive_mode"})), notice);
    EXPECT_EQ(severity(judge_unlogged({{"shop", {}, {}, 0, {}}})), ok);
    EXPECT_EQ(severity(judge_unlogged({{"shop", {}, {}, 2, {8192}}})), notice);
}

TEST(Disk, fifteen_percent_for_indexes_and_fifty_for_rewrites) {
    Place place{"disk_data", "/data", {gib(1000), gib(300)}, gib(600), {}, {}};
    EXPECT_EQ(severity(judge_place(place, kThresholds)), ok);
    EXPECT_EQ(judge_place(place, kThresholds).value, "300 GiB free of 1000 GiB (30 %) at /data, 50 % of the 600 GiB of data");
    place.space.available = gib(299);
    EXPECT_EQ(severity(judge_place(place, kThresholds)), warning);
    EXPECT_NE(judge_place(place, kThresholds).what.find("rewriting tables needs 50 %"), std::string::npos);
    place.data = gib(2000);
    EXPECT_EQ(severity(judge_place(place, kThresholds)), critical);
    EXPECT_NE(judge_place(place, kThresholds).what.find("building indexes needs 15 %"), std::string::npos);
    place.data = gib(1993);
    EXPECT_EQ(severity(judge_place(place, kThresholds)), warning);
}

TEST(Disk, a_full_file_system_is_found_however_small_the_data) {
    Place place{"disk_wal", "/wal", {gib(100), gib(15)}, {}, {}, {}};
    EXPECT_EQ(severity(judge_place(place, kThresholds)), ok);
    place.space.available = gib(14);
    EXPECT_EQ(severity(judge_place(place, kThresholds)), warning);
    place.space.available = gib(4);
    EXPECT_EQ(severity(judge_place(place, kThresholds)), critical);
    place.space.available = gib(50);
    place.need = gib(60);
    place.need_for = "max_wal_size";
    EXPECT_EQ(severity(judge_place(place, kThresholds)), critical);
}

TEST(Transactions, five_minutes_warn_and_an_hour_is_critical) {
    const auto of = [](base::Duration age, bool idle) { return std::vector<OpenTransaction>{{42, "app", "shop", "web", idle, age, age}}; };
    EXPECT_EQ(severity(judge_transactions({}, 0, kThresholds), "long_transactions"), ok);
    EXPECT_EQ(severity(judge_transactions(of(5min, false), 0, kThresholds), "long_transactions"), ok);
    EXPECT_EQ(severity(judge_transactions(of(5min + 1s, false), 0, kThresholds), "long_transactions"), warning);
    EXPECT_EQ(severity(judge_transactions(of(61min, false), 0, kThresholds), "long_transactions"), critical);
    EXPECT_EQ(severity(judge_transactions(of(61min, false), 0, kThresholds), "idle_in_transaction"), ok);
    EXPECT_EQ(severity(judge_transactions(of(6min, true), 0, kThresholds), "idle_in_transaction"), warning);
    EXPECT_EQ(severity(judge_transactions(of(61min, true), 0, kThresholds), "idle_in_transaction"), critical);
    EXPECT_EQ(severity(judge_transactions({}, 2, kThresholds), "hidden_sessions"), warning);
}

TEST(Transactions, the_oldest_is_named_first) {
    const auto findings = judge_transactions({{1, "a", "shop", "", false, 6min, {}}, {2, "b", "shop", "", false, 2h, {}}}, 0, kThresholds);
    EXPECT_EQ(findings.at(0).severity, critical);
    EXPECT_TRUE(findings.at(0).value.starts_with("pid 2 ")) << findings.at(0).value;
}

TEST(Prepared, ones_are_noticed_and_forgotten_ones_found) {
    EXPECT_EQ(severity(judge_prepared({}, kThresholds)), ok);
    EXPECT_EQ(severity(judge_prepared({{"t", "app", "shop", 1min}}, kThresholds)), notice);
    EXPECT_EQ(severity(judge_prepared({{"t", "app", "shop", 10min}}, kThresholds)), warning);
    EXPECT_EQ(severity(judge_prepared({{"t", "app", "shop", 25h}}, kThresholds)), critical);
}

TEST(Connections, eighty_percent_warns) {
    EXPECT_EQ(severity(judge_connections(80, 100, kThresholds)), ok);
    EXPECT_EQ(severity(judge_connections(81, 100, kThresholds)), warning);
    EXPECT_EQ(severity(judge_connections(95, 100, kThresholds)), critical);
}

TEST(Autovacuum, off_or_dead_is_critical_and_unseen_is_said) {
    AutovacuumFacts facts{true, true, true, true, false, 1};
    EXPECT_EQ(severity(judge_autovacuum(facts)), ok);
    facts.launcher_seen = false;
    EXPECT_EQ(severity(judge_autovacuum(facts)), critical);
    facts.launcher_visible = false;
    EXPECT_EQ(severity(judge_autovacuum(facts)), warning);
    facts.in_recovery = true;
    EXPECT_EQ(severity(judge_autovacuum(facts)), ok);
    facts.track_counts = false;
    EXPECT_EQ(severity(judge_autovacuum(facts)), critical);
    facts.on = false;
    EXPECT_EQ(severity(judge_autovacuum(facts)), critical);
    EXPECT_EQ(severity(judge_dead_rows({{"shop", {}, {}, 0, {}}})), ok);
    EXPECT_EQ(severity(judge_dead_rows({{"shop", {}, {{"public.cart", 20000, 10, true}}, 0, {}}})), warning);
    EXPECT_NE(judge_dead_rows({{"shop", {}, {{"public.cart", 20000, 10, true}}, 0, {}}}).value.find("20,000 dead"), std::string::npos);
}

TEST(Ages, wraparound_is_seen_from_far) {
    EXPECT_EQ(severity(judge_ages({{"a", 200'000'000, 0}}, 200'000'000, kThresholds)), ok);
    EXPECT_EQ(severity(judge_ages({{"a", 0, 0}, {"b", 600'000'000, 0}}, 200'000'000, kThresholds)), warning);
    EXPECT_EQ(severity(judge_ages({{"b", 600'000'000, 0}}, 500'000'000, kThresholds)), ok);
    EXPECT_EQ(severity(judge_ages({{"b", 0, 1'300'000'000}}, 200'000'000, kThresholds)), critical);
    EXPECT_NE(judge_ages({{"b", 0, 1'300'000'000}}, 200'000'000, kThresholds).value.find("multixacts in b"), std::string::npos);
}

TEST(Replicas, one_second_of_lag_warns) {
    EXPECT_EQ(severity(judge_replicas({}, kThresholds), "replicas"), ok);
    EXPECT_EQ(severity(judge_replicas({{"r", "streaming", {}, {{0}}}}, kThresholds), "replica_r"), ok);
    EXPECT_EQ(severity(judge_replicas({{"r", "streaming", 900ms, {{0}}}}, kThresholds), "replica_r"), ok);
    EXPECT_EQ(severity(judge_replicas({{"r", "streaming", 2s, {{0}}}}, kThresholds), "replica_r"), warning);
    EXPECT_EQ(severity(judge_replicas({{"r", "streaming", 6min, {{0}}}}, kThresholds), "replica_r"), critical);
    EXPECT_EQ(severity(judge_replicas({{"r", "catchup", {}, {}}}, kThresholds), "replica_r"), warning);
    EXPECT_EQ(severity(judge_standby({false, {}, {}}, kThresholds)), warning);
    EXPECT_EQ(severity(judge_standby({true, {}, 3h}, kThresholds)), ok);
    EXPECT_EQ(severity(judge_standby({true, {8192}, 3h}, kThresholds)), critical);
    EXPECT_EQ(severity(judge_standby({true, {8192}, 2s}, kThresholds)), warning);
    EXPECT_EQ(severity(judge_standby({true, {8192}, 900ms}, kThresholds)), ok);
    EXPECT_EQ(severity(judge_standby({true, {8192}, {}}, kThresholds)), notice);
}

TEST(Slots, nobody_reading_one_is_found_with_the_wal_it_holds) {
    const auto of = [](bool active, const char* status) { return judge_slots({{"s", "physical", active, status, gib(3), ""}}, true); };
    EXPECT_EQ(severity(of(true, "reserved"), "slot_s"), ok);
    EXPECT_EQ(severity(of(false, "reserved"), "slot_s"), warning);
    EXPECT_EQ(severity(of(true, "unreserved"), "slot_s"), critical);
    EXPECT_EQ(severity(of(false, "lost"), "slot_s"), critical);
    EXPECT_NE(of(false, "reserved").at(0).value.find("3 GiB"), std::string::npos) << of(false, "reserved").at(0).value;
    EXPECT_EQ(severity(of(true, "reserved"), "max_slot_wal_keep_size"), notice);
    EXPECT_EQ(judge_slots({{"s", "physical", true, "reserved", {}, ""}}, false).size(), 1U);
}

TEST(Archiving, off_empty_or_throwing_away_is_critical) {
    EXPECT_EQ(severity(judge_archiving({"on", "'/usr/bin/howdah' wal push %p", "", false})), ok);
    EXPECT_EQ(severity(judge_archiving({"off", "(disabled)", "", false})), critical);
    EXPECT_EQ(judge_archiving({"off", "(disabled)", "", true}).advice, "restart the server");
    EXPECT_EQ(severity(judge_archiving({"on", "", "", false})), critical);
    for (const char* command : {"true", "/bin/true", " exit 0 ", ":", "cd ."})
        EXPECT_EQ(severity(judge_archiving({"on", command, "", false})), critical) << command;
    EXPECT_EQ(severity(judge_archiving({"on", "cp %p /archive/%f", "", false})), notice);
    EXPECT_EQ(severity(judge_archiving({"on", "", "basic_archive", false})), notice);
    EXPECT_EQ(severity(judge_archiving({"on", {}, "", false})), warning);
}

TEST(ArchiveTimeout, three_hundred_seconds_against_an_rpo_of_fifteen_minutes) {
    EXPECT_EQ(severity(judge_archive_timeout(0s, 15min, kThresholds)), critical);
    EXPECT_EQ(severity(judge_archive_timeout(300s, 15min, kThresholds)), ok);
    EXPECT_EQ(severity(judge_archive_timeout(301s, 15min, kThresholds)), notice);
    EXPECT_EQ(severity(judge_archive_timeout(901s, 15min, kThresholds)), critical);
    EXPECT_EQ(severity(judge_archive_timeout(300s, 1min, kThresholds)), critical);
    EXPECT_NE(judge_archive_timeout(0s, 1min, kThresholds).advice.find("archive_timeout = 60"), std::string::npos);
    EXPECT_NE(judge_archive_timeout(0s, 15min, kThresholds).advice.find("archive_timeout = 300"), std::string::npos);
}

TEST(Archiver, a_failure_counts_until_something_was_archived_after_it) {
    EXPECT_EQ(severity(judge_archiver({0, 0, "", {}, {}})), ok);
    EXPECT_EQ(severity(judge_archiver({5, 0, "", 1min, {}})), ok);
    EXPECT_EQ(severity(judge_archiver({5, 3, "W", 1min, 2min})), notice);
    EXPECT_EQ(severity(judge_archiver({5, 3, "W", 2min, 1min})), critical);
    EXPECT_EQ(severity(judge_archiver({0, 3, "W", {}, 1min})), critical);
    EXPECT_EQ(severity(judge_backlog({0, {}}, 15min)), ok);
    EXPECT_EQ(severity(judge_backlog({3, 1min}, 15min)), ok);
    EXPECT_EQ(severity(judge_backlog({3, 8min}, 15min)), warning);
    EXPECT_EQ(severity(judge_backlog({3, 16min}, 15min)), critical);
}

TEST(Tls, is_asked_of_what_crosses_the_network) {
    EXPECT_EQ(severity(judge_tls({false, false, true, "", 0}), "tls"), ok);
    EXPECT_EQ(severity(judge_tls({false, false, true, "localhost, 127.0.0.1", 0}), "tls"), ok);
    EXPECT_EQ(severity(judge_tls({false, false, true, "localhost, 10.0.0.1", 0}), "tls"), warning);
    EXPECT_EQ(severity(judge_tls({false, false, true, "*", 0}), "tls"), warning);
    EXPECT_EQ(severity(judge_tls({true, false, true, "*", 2}), "tls"), warning);
    EXPECT_EQ(severity(judge_tls({true, true, false, "*", 0}), "own_connection"), ok);
    EXPECT_EQ(severity(judge_tls({true, false, false, "*", 0}), "own_connection"), warning);
    EXPECT_EQ(severity(judge_passwords("scram-sha-256", 0), "password_encryption"), ok);
    EXPECT_EQ(severity(judge_passwords("md5", {}), "password_encryption"), warning);
    EXPECT_EQ(severity(judge_passwords("scram-sha-256", 2), "md5_passwords"), warning);
}

TEST(Hba, trust_of_other_hosts_is_critical) {
    const auto line = [](const char* type, const char* address, const char* netmask, const char* method) {
        return std::vector<HbaLine>{{7, type, "all", "all", address, netmask, method, ""}};
    };
    EXPECT_EQ(severity(judge_hba(line("local", "", "", "trust")), "pg_hba_trust"), ok);
    EXPECT_EQ(severity(judge_hba(line("host", "127.0.0.1", "255.255.255.255", "trust")), "pg_hba_trust"), ok);
    EXPECT_EQ(severity(judge_hba(line("host", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "trust")), "pg_hba_trust"), ok);
    EXPECT_EQ(severity(judge_hba(line("host", "localhost", "", "trust")), "pg_hba_trust"), ok);
    EXPECT_EQ(severity(judge_hba(line("host", "samehost", "", "trust")), "pg_hba_trust"), ok);
    EXPECT_EQ(severity(judge_hba(line("host", "samenet", "", "trust")), "pg_hba_trust"), critical);
    EXPECT_EQ(severity(judge_hba(line("host", "all", "", "trust")), "pg_hba_trust"), critical);
    EXPECT_EQ(severity(judge_hba(line("hostssl", "10.0.0.0", "255.0.0.0", "trust")), "pg_hba_trust"), critical);
    EXPECT_EQ(severity(judge_hba(line("host", "127.0.0.1", "0.0.0.0", "trust")), "pg_hba_trust"), critical);
    EXPECT_EQ(severity(judge_hba(line("host", "::1", "::", "trust")), "pg_hba_trust"), critical);
    EXPECT_EQ(severity(judge_hba(line("host", "10.0.0.0", "255.0.0.0", "scram-sha-256")), "pg_hba_trust"), ok);
    EXPECT_EQ(severity(judge_hba(line("host", "10.0.0.0", "255.0.0.0", "password")), "pg_hba_password"), warning);
    EXPECT_EQ(severity(judge_hba({{3, "", "", "", "", "", "", "invalid authentication method"}}), "pg_hba_errors"), warning);
}

TEST(Clocks, one_second_warns_and_five_minutes_are_critical) {
    const base::Timestamp noon{std::chrono::hours(12)};
    EXPECT_EQ(severity(judge_clock("server", "the server", {noon, noon + 3s, noon + 4s}, kThresholds)), ok);
    EXPECT_EQ(severity(judge_clock("server", "the server", {noon, noon + 999ms, noon}, kThresholds)), ok);
    EXPECT_EQ(severity(judge_clock("server", "the server", {noon, noon + 1s, noon}, kThresholds)), warning);
    EXPECT_EQ(severity(judge_clock("server", "the server", {noon, noon - 2s, noon}, kThresholds)), warning);
    EXPECT_NE(judge_clock("server", "the server", {noon, noon - 2s, noon}, kThresholds).value.find("behind"), std::string::npos);
    EXPECT_EQ(severity(judge_clock("repository", "the store", {noon, noon + 5min, noon}, kThresholds)), critical);
    EXPECT_EQ(judge_clock("repository", "the store", {noon, noon, noon}, kThresholds).check, "clock_repository");
}

TEST(Repository, wants_a_young_backup_encrypted_and_elsewhere) {
    EXPECT_EQ(severity(judge_latest_backup("", {}, 26h)), critical);
    EXPECT_EQ(severity(judge_latest_backup("b", 25h, 26h)), ok);
    EXPECT_EQ(severity(judge_latest_backup("b", 27h, 26h)), critical);
    EXPECT_EQ(severity(judge_encryption(false)), warning);
    EXPECT_EQ(severity(judge_encryption(true)), ok);
    EXPECT_EQ(severity(judge_key_mode("/k", 0600)), ok);
    EXPECT_EQ(severity(judge_key_mode("/k", 0640)), ok);
    EXPECT_EQ(severity(judge_key_mode("/k", 0644)), warning);
    EXPECT_EQ(severity(judge_key_mode("/k", 0660)), warning);
    EXPECT_EQ(severity(judge_place_of_repository(true, "/r")), warning);
    EXPECT_EQ(severity(judge_place_of_repository(false, "/r")), ok);
    EXPECT_EQ(severity(judge_gaps({"A to B"})), critical);
    EXPECT_EQ(severity(judge_gaps({})), ok);
    EXPECT_EQ(severity(judge_damaged({"b: root cannot be read"})), critical);
    EXPECT_EQ(repository_folder("file:///var/lib/howdah"), "/var/lib/howdah");
    EXPECT_EQ(repository_folder("s3://bucket/x"), std::nullopt);
}

TEST(Findings, the_worst_counts) {
    EXPECT_EQ(worst({}), ok);
    EXPECT_EQ(worst({{"a", notice, "", "", ""}, {"b", warning, "", "", ""}, {"c", ok, "", "", ""}}), warning);
    EXPECT_EQ(word(critical), "critical");
}

}  // namespace
}  // namespace howdah::preflight
