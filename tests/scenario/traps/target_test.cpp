// T17, T18 and T21: where recovery ends, and that nothing but the target ends it.
#include <unistd.h>

#include <fstream>

#include "archive/wal_archive.hpp"
#include "base/file.hpp"
#include "fixture.hpp"
#include "postgres/control_file.hpp"
#include "postgres/wal_name.hpp"
#include "repository/repository.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

TEST(Trap, T17_reachable) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    protectee.howdah_ok({"backup", "run"});
    ASSERT_NO_FATAL_FAILURE(make_branch(protectee));
    for (const auto& object : objects_named(protectee, "00000002.history")) fs::remove(object);
    const auto into = protectee.workspace() / "restored";
    const auto result = protectee.howdah({"restore", "--into", into.string(), "--latest"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("00000002.history is missing"), std::string::npos) << result.errors;
    EXPECT_FALSE(fs::exists(into));
}

/// The WAL of the backup itself, put into the restored pg_wal: the server is consistent before it needs the archive for the rest.
void place_backup_wal(const ProtectedServer& protectee, const nlohmann::json& backup, const fs::path& data) {
    const auto repository = repository::Repository::open(protectee.config().repository());
    const auto control = postgres::read_control_file(data);
    const archive::WalArchive archive(repository, repository::ClusterArea("main", control.system_identifier));
    repository::SealContext context;
    const auto size = control.wal_segment_size;
    const auto last = *postgres::parse_segment_name(backup["last_segment"].get<std::string>(), size);
    for (auto segment = *postgres::parse_segment_name(backup["first_segment"].get<std::string>(), size); segment <= last;
         segment = segment.next()) {
        const auto bytes = archive.get(segment.name(size), context);
        ASSERT_TRUE(bytes);
        const auto path = data / "pg_wal" / segment.name(size);
        base::write_file_durably(path, base::as_text(*bytes));
        const auto owner = base::owner_of(data);
        if (::geteuid() == 0) {
            ASSERT_EQ(::chown(path.c_str(), owner.uid, owner.gid), 0);
        }
    }
}

TEST(Trap, T18_outage) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    const auto backup = protectee.howdah_json({"backup", "run"})["backup"];
    protectee.session().query("INSERT INTO shop SELECT g, 'after' FROM generate_series(1001, 2000) g");
    protectee.archive_everything();
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--latest"});
    ASSERT_NO_FATAL_FAILURE(place_backup_wal(protectee, backup, into));

    fs::rename(protectee.repository(), protectee.workspace() / "away");
    EXPECT_THROW(protectee.start_restored(into), base::Failure) << "an outage was taken for the end of the archive";
    EXPECT_TRUE(fs::exists(into / "recovery.signal"));
    EXPECT_FALSE(fs::exists(into / "pg_wal" / "00000002.history")) << "promoted";
    fs::rename(protectee.workspace() / "away", protectee.repository());
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "shop"), "2000");
}

TEST(Trap, T21_stop_before_target) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    const std::string first = protectee.howdah_json({"backup", "run"})["backup"]["id"];
    std::string target;
    {
        HeldBackup second(protectee, "backup.copied");
        auto session = protectee.session();
        session.query("INSERT INTO shop VALUES (1001, 'before')");
        target = session.value("SELECT clock_timestamp()::text");
        session.query("INSERT INTO shop VALUES (1002, 'after')");
        ASSERT_EQ(second.finish().exit_code, 0);
    }
    protectee.archive_everything();
    const auto into = protectee.workspace() / "restored";
    const auto restored = protectee.howdah_json({"restore", "--into", into.string(), "--to-time", target});
    EXPECT_EQ(restored["plan"]["backup"], first);
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "shop"), "1001");
}

TEST(Trap, T21_pin_timeline) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    protectee.howdah_ok({"backup", "run"});
    ASSERT_NO_FATAL_FAILURE(make_branch(protectee));
    protectee.session().query("INSERT INTO shop SELECT g, 'trunk' FROM generate_series(1001, 1500) g");
    protectee.archive_everything();
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--timeline", "1", "--latest"});
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "shop WHERE note = 'branch'"), "0") << "recovery followed the newer branch";
    EXPECT_EQ(count_of(server, "shop"), "1500");
}

/// What a data directory's own files set, as the server itself reads them.
std::string configured(ProtectedServer& protectee, const fs::path& data, const std::string& name) {
    const auto result = protectee.server().run("postgres", {"-D", data.string(), "-C", name});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.output.substr(0, result.output.find('\n'));
}

/// A server that was once restored by hand keeps that recovery's settings in postgresql.conf: they must not end or delay this one.
TEST(Trap, restore_cleared_settings) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    const auto conf = protectee.server().data_directory() / "postgresql.conf";
    const bool with_trigger_file = protectee.session().major() < 16;  // Version 16 does not know it any more.
    std::ofstream(conf, std::ios::app)
        << "recovery_target_xid = '3'\nrecovery_min_apply_delay = '1h'\n"
        << (with_trigger_file ? "promote_trigger_file = '/tmp/howdah-no-such'\n" : "")
        << "primary_slot_name = 'old'\nrecovery_end_command = 'touch end'\narchive_cleanup_command = 'touch clean'\n";
    protectee.howdah_ok({"backup", "run"});
    auto session = protectee.session();
    session.query("INSERT INTO shop SELECT g, 'after' FROM generate_series(1001, 2000) g");
    const std::string target = session.value("SELECT pg_current_wal_insert_lsn()::text");
    session.query("INSERT INTO shop SELECT g, 'later' FROM generate_series(2001, 3000) g");
    protectee.archive_everything();
    const std::map<std::vector<std::string>, std::string> targets{{{"--latest"}, "3000"}, {{"--to-lsn", target}, "2000"}};
    for (const auto& [words, rows] : targets) {
        const auto into = protectee.workspace() / ("restored" + rows);
        std::vector<std::string> command{"restore", "--into", into.string()};
        command.insert(command.end(), words.begin(), words.end());
        protectee.howdah_ok(command);
        for (const char* name : {"recovery_target_xid", "primary_slot_name", "recovery_end_command", "archive_cleanup_command"})
            EXPECT_EQ(configured(protectee, into, name), "") << name;
        if (with_trigger_file) {
            EXPECT_EQ(configured(protectee, into, "promote_trigger_file"), "");
        }
        ASSERT_EQ(configured(protectee, into, "recovery_min_apply_delay"), "0");
        auto server = protectee.start_restored(into);
        EXPECT_EQ(count_of(server, "shop"), rows);
    }
}

}  // namespace
}  // namespace howdah::tests
