// `wal push`, killed: a segment is archived whole or not at all, and doing it again is right.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "archive/pg_wal.hpp"
#include "archive/setup.hpp"
#include "archive/wal_archive.hpp"
#include "base/file.hpp"
#include "killing.hpp"
#include "postgres/control_file.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
constexpr base::Bytes kSegment{1u << 20};

/// A server on its second timeline, so that a push has a history to archive first; archive_command is not set.
class KilledPush : public testing::Test {
protected:
    KilledPush() : protectee_(options()) {
        protectee_.set_config("wal.fetch_ahead", "0");
        auto& server = protectee_.server();
        protectee_.session().script("ALTER SYSTEM SET restore_command = 'false'");
        server.stop();
        const auto signal = data() / "recovery.signal";
        base::write_file_durably(signal, "");
        EXPECT_TRUE(::geteuid() != 0 || ::chown(signal.c_str(), server.user().uid, server.user().gid) == 0);
        server.start();
        wait_until("the server is promoted", [&] { return protectee_.session().value("SELECT pg_is_in_recovery()") == "f"; });
        protectee_.session().script("CREATE TABLE public.log(id serial PRIMARY KEY, note text)");
        protectee_.howdah_ok({"backup", "run"});
    }

    static ProtectedServer::Options options() {
        ProtectedServer::Options options;
        options.archiving = false;
        options.scratch.wal_segment_mib = 1;
        return options;
    }

    fs::path data() const { return const_cast<KilledPush*>(this)->protectee_.server().data_directory(); }
    std::vector<std::string> words(const std::string& name) const { return {"wal", "push", (data() / "pg_wal" / name).string()}; }

    /// Ends this many segments with rows in each.
    std::vector<std::string> switch_segments(unsigned count) {
        auto session = protectee_.session();
        std::vector<std::string> names;
        for (unsigned i = 0; i < count; ++i) {
            session.query("INSERT INTO public.log(note) SELECT md5(random()::text) FROM generate_series(1, 2000)");
            names.push_back(session.value("SELECT pg_walfile_name(pg_switch_wal())"));
        }
        return names;
    }

    /// Archives the segment that the server is at as the last one of a lost server, so that a push has a copy to replace.
    void archive_unfinished() {
        auto session = protectee_.session();
        session.query("INSERT INTO public.log(note) VALUES ('the last before the loss')");
        const auto name = session.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
        const auto lost = protectee_.workspace() / "lost";
        fs::create_directories(lost / "pg_wal" / "archive_status");
        fs::create_directories(lost / "global");
        fs::copy_file(data() / "pg_wal" / name, lost / "pg_wal" / name);
        fs::copy_file(data() / "global" / "pg_control", lost / "global" / "pg_control");
        const auto& user = protectee_.server().user();
        for (const auto& entry : fs::recursive_directory_iterator(lost))
            EXPECT_TRUE(::geteuid() != 0 || ::chown(entry.path().c_str(), user.uid, user.gid) == 0);
        EXPECT_TRUE(::geteuid() != 0 || ::chown(lost.c_str(), user.uid, user.gid) == 0);
        protectee_.howdah_ok({"wal", "push", "--unfinished", (lost / "pg_wal" / name).string()});
    }

    std::string in_pg_wal(const std::string& name) const { return base::read_file(data() / "pg_wal" / name, kSegment); }

    /// What the archive holds of these must be the bytes of pg_wal; or it must hold them all.
    void expect_equal(const std::vector<std::string>& names, bool all) const {
        const auto repository = repository::Repository::open(protectee_.config().repository());
        const archive::WalArchive archive(repository, {"main", postgres::read_control_file(data()).system_identifier});
        repository::SealContext context;
        for (const auto& name : names) {
            const auto bytes = archive.get(name, context);
            EXPECT_TRUE(bytes ? base::as_text(*bytes) == in_pg_wal(name) : !all) << name;
        }
        EXPECT_TRUE(!all || archive.history({2})) << "the timeline's history";
    }

    /// As restore_command: in the data directory.
    void expect_fetched(const std::string& name) {
        const auto to = protectee_.workspace() / "fetched";
        base::ProcessOptions options;
        options.working_directory = data();
        if (::geteuid() == 0) options.user = protectee_.server().user();
        base::run_process_checked(
            "wal fetch", {protectee_.binary().string(), "--config", protectee_.config_file().string(), "wal", "fetch", name, to.string()},
            options);
        EXPECT_TRUE(base::read_file(to, kSegment) == in_pg_wal(name)) << name;
    }

    /// After a push of the first of these that may have been killed, with the others ready behind it.
    void judge(const std::string& where, const std::vector<std::string>& names) {
        SCOPED_TRACE(where);
        expect_equal(names, false);
        for (const auto& name : names) {
            const auto again = protectee_.howdah(words(name));
            EXPECT_EQ(again.exit_code, 0) << name << ": " << again.errors;
        }
        expect_equal(names, true);
        expect_fetched(names.front());
    }

    std::string command() const {
        return archive::archive_command(
            {.binary = protectee_.binary(), .config_file = protectee_.config_file(), .cluster = "main", .force = false});
    }
    /// Returns when the archiver knows it: the postmaster tells its children before a new session sees the value.
    void set_archive_command(const std::string& command) {
        auto session = protectee_.session();
        session.query("ALTER SYSTEM SET archive_command = " + session.quote_literal(command));
        session.query("SELECT pg_reload_conf()");
        wait_until("archive_command is set", [&] { return protectee_.session().value("SHOW archive_command") == command; });
    }
    void archive_everything() {
        protectee_.archive_everything();
        wait_until("nothing waits to be archived", [&] { return archive::ready_files(data()).empty(); });
    }

    /// The server archives by itself to the end; nothing is left behind, and all of it brings the cluster back.
    void prove() {
        protectee_.session().script("CHECKPOINT");
        const auto truth = dump(protectee_.server(), "postgres");
        archive_everything();
        const auto check = protectee_.howdah_json({"repo", "check"});
        EXPECT_TRUE(check["ok"]) << check.dump(1);
        EXPECT_TRUE(check["leftovers"].empty()) << check["leftovers"].dump(1);
        EXPECT_TRUE(protectee_.howdah_json({"backup", "verify"})["ok"]);
        EXPECT_TRUE(protectee_.howdah_json({"journal", "verify"})["ok"]);
        const auto into = protectee_.workspace() / "restored";
        protectee_.howdah_ok({"restore", "--into", into.string()});
        auto server = protectee_.start_restored(into);
        EXPECT_EQ(dump(server, "postgres"), truth);
        EXPECT_EQ(check_restored(server), "");
    }

    ProtectedServer protectee_;
};

TEST_F(KilledPush, AtEveryFaultPointIsRightTheNextTime) {
    const auto points = fault_points({"wal_push."});
    ASSERT_GE(points.size(), 6u);
    print_points("wal push", points);
    for (const auto& point : points) {
        const bool replacing = point == "wal_push.after_remove";
        if (replacing) archive_unfinished();
        const auto names = switch_segments(3);
        auto push = words(names.front());
        if (replacing) push.push_back("--replace-unfinished");
        EXPECT_TRUE(killed_at(protectee_, point, push)) << "never reached: " << point;
        judge(point, names);
        if (HasFailure()) return;
    }

    // As PostgreSQL calls it: the first call dies, every later one is plain.
    set_archive_command(command());
    archive_everything();
    const auto mark = protectee_.workspace() / "killed-once";
    set_archive_command(
        fmt::format("test -e {0} || {{ touch {0}; export HOWDAH_FAULT=wal_push.after_put; }}; {1}", mark.string(), command()));
    const auto names = switch_segments(2);
    wait_until("archive_command was killed", [&] { return fs::exists(mark); });
    // A signal ends the archiver itself. The postmaster starts another when ten seconds have passed and something wakes it: a connection.
    for (const auto& name : names)
        wait_until(name + " is archived", [&] {
            protectee_.session();
            return fs::exists(data() / "pg_wal" / "archive_status" / (name + ".done"));
        });
    const auto log = base::read_file(protectee_.server().log_file(), {100u << 20});
    EXPECT_TRUE(log.find("terminated by signal 9") != log.npos || log.find("exit code 137") != log.npos) << log;
    for (const auto& name : names) expect_fetched(name);
    set_archive_command(command());
    prove();
}

TEST_F(KilledPush, AtMomentsOfARunIsRightTheNextTime) {
    std::vector<std::string> names;
    const auto prepare = [&] {
        names = switch_segments(9);
        return words(names.front());
    };
    kill_at_moments(protectee_,
                    {.operation = "wal push", .prepare = prepare, .judge = [&](const std::string& where) { judge(where, names); }});
    set_archive_command(command());
    prove();
}

}  // namespace
}  // namespace howdah::tests
