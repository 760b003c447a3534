#include <libpq-fe.h>

#include "scenario/client/ground.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

/// What one user of a session leaves behind, the next must not find. One session, so that the next user gets the same.
class Leases : public ClientTest {
protected:
    Leases() : client_(open(1)) {}
    Lease borrow() {
        auto lease = client_.borrow({.tag = "the test"});
        EXPECT_TRUE(lease) << lease.error().message();
        return std::move(*lease);
    }
    /// Runs statements under a lease, gives it back, and tells what the next user of the session sees.
    std::string after(const std::vector<std::string>& statements, const std::string& question) {
        std::string first;
        {
            Lease lease = borrow();
            first = shown(lease.execute("SELECT pg_backend_pid()"));
            for (const std::string& sql : statements) {
                const auto done = lease.execute(sql);
                EXPECT_TRUE(done) << sql << ": " << done.error().message();
            }
        }
        Lease lease = borrow();
        EXPECT_EQ(shown(lease.execute("SELECT pg_backend_pid()")), first) << "another session";
        return shown<std::string>(lease.execute("SELECT (" + question + ")::text"));
    }

    Client client_;
};

TEST_F(Leases, SettingsAreReset) {
    EXPECT_EQ(after({"SET work_mem = '7MB'", "SET TimeZone = 'Asia/Tokyo'"}, "SELECT current_setting('work_mem')"), "4MB");
    EXPECT_EQ(after({"SELECT set_config('work_mem', '7MB', false)"}, "SELECT current_setting('work_mem')"), "4MB");
}

TEST_F(Leases, RolesAreReset) {
    EXPECT_EQ(after({"SET ROLE pg_monitor"}, "SELECT current_user"), "postgres");
    EXPECT_EQ(after({"SET SESSION AUTHORIZATION pg_monitor"}, "SELECT session_user"), "postgres");
}

TEST_F(Leases, AdvisoryLocksAreReleased) {
    const std::string held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    EXPECT_EQ(after({"SELECT pg_advisory_lock(817263)"}, held), "0");
}

TEST_F(Leases, ListeningEnds) { EXPECT_EQ(after({"LISTEN news"}, "SELECT count(*) FROM pg_listening_channels()"), "0"); }

TEST_F(Leases, TemporaryTablesAreDropped) {
    const std::string left =
        "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind IN ('r', 'v', 'S') AND "
        "relnamespace = pg_my_temp_schema()";
    EXPECT_EQ(after({"CREATE TEMPORARY TABLE passing (id int)"}, left), "0");
    EXPECT_EQ(after({"CREATE TEMPORARY TABLE passing AS SELECT 1 AS id"}, left), "0");
    EXPECT_EQ(after({"CREATE TEMPORARY VIEW passing AS SELECT 1 AS id"}, left), "0");
    EXPECT_EQ(after({"CREATE TEMPORARY SEQUENCE passing"}, left), "0");
}

TEST_F(Leases, OpenTransactionsAreRolledBack) {
    const std::string name = table("id int");
    EXPECT_EQ(after({"BEGIN", "INSERT INTO " + name + " VALUES (1)"}, "SELECT count(*) FROM " + name), "0");
    {
        Lease lease = borrow();
        EXPECT_TRUE(lease.execute("BEGIN"));
        EXPECT_FALSE(lease.execute("SELECT 1/0"));
    }
    EXPECT_EQ(shown(client_.execute("SELECT 1")), "1");
}

TEST_F(Leases, CursorsAreClosed) {
    EXPECT_EQ(after({"BEGIN", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "COMMIT"}, "SELECT count(*) FROM pg_cursors WHERE is_holdable"),
              "0");
}

TEST_F(Leases, StatementsPreparedByHandAreForgottenAndTheLibrarysWorkOn) {
    static const Statement kOne{"SELECT 1"};
    EXPECT_EQ(shown(client_.execute(kOne)), "1");
    EXPECT_EQ(after({"PREPARE mine AS SELECT 2"}, "SELECT count(*) FROM pg_prepared_statements WHERE name = 'mine'"), "0");
    EXPECT_EQ(shown(client_.execute(kOne)), "1");
}

TEST_F(Leases, WhatASingleStatementSetsIsResetToo) {
    ASSERT_TRUE(client_.execute("SET work_mem = '7MB'"));
    EXPECT_EQ(shown<std::string>(client_.execute("SELECT current_setting('work_mem')")), "4MB");
    ASSERT_TRUE(client_.execute("CREATE TEMPORARY TABLE passing AS SELECT 1 AS id"));
    EXPECT_FALSE(client_.execute("SELECT * FROM passing"));
}

TEST_F(Leases, WhatIsMarkedDirtyIsReset) {
    {
        Lease lease = borrow();
        PQclear(PQexec(lease.native_handle(), "SET work_mem = '7MB'"));
        lease.mark_dirty();
    }
    EXPECT_EQ(shown<std::string>(client_.execute("SELECT current_setting('work_mem')")), "4MB");
}

TEST_F(Leases, TheDeadlineEndsTheStatementAndTheLease) {
    ASSERT_TRUE(await_monitor(client_));
    const std::string name = table("id int");
    {
        auto lease = client_.borrow({.deadline = in(300ms)});
        ASSERT_TRUE(lease);
        const auto late = lease->execute("SELECT pg_sleep(30)");
        ASSERT_FALSE(late);
        EXPECT_EQ(late.error().cause(), Cause::timed_out);
        const auto next = lease->execute("INSERT INTO " + name + " VALUES (1)");
        ASSERT_FALSE(next);
        EXPECT_EQ(next.error().outcome(), Outcome::not_sent);
    }
    EXPECT_EQ(shown(client_.execute({.deadline = in(2s)}, "SELECT count(*) FROM " + name)), "0");
    const Moment deadline = in(100ms);
    auto lease = client_.borrow({.deadline = deadline});
    ASSERT_TRUE(lease);
    EXPECT_TRUE(eventually([&] { return std::chrono::steady_clock::now() > deadline; }));
    const auto late = lease->execute("INSERT INTO " + name + " VALUES (1)");
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().outcome(), Outcome::not_sent);
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), 0);
}

TEST_F(Leases, ABrokenLinkIsToldAndTheNextLeaseWorks) {
    {
        Lease lease = borrow();
        ASSERT_TRUE(lease.execute("SELECT 1"));
        terminate_sessions();
        EXPECT_FALSE(lease.execute("SELECT 1"));
        const auto again = lease.execute("SELECT 1");
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().outcome(), Outcome::not_sent);
        EXPECT_EQ(lease.native_handle(), nullptr);
    }
    EXPECT_EQ(shown(client_.execute("SELECT 1")), "1");
}

TEST_F(Leases, ALeaseMovedAwayIsAUsageError) {
    Lease first = borrow();
    Lease second = std::move(first);
    EXPECT_EQ(first.execute("SELECT 1").error().cause(), Cause::usage);
    EXPECT_EQ(shown(second.execute("SELECT 1")), "1");
}

}  // namespace
}  // namespace howdah::tests
