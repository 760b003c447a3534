#include "postgres/session.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "base/file.hpp"
#include "postgres/scratch.hpp"

namespace howdah::postgres {
namespace {

using base::FailureKind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kSecret = "s3cr3t-word";

/// What a call that must fail said, with the time it took.
struct Seen {
    FailureKind kind{};
    std::string what, hint, sqlstate;
    steady_clock::duration took{};
    std::string all() const { return what + "\n" + hint; }
};

Seen failure_of(const std::function<void()>& call) {
    const auto start = steady_clock::now();
    Seen seen;
    try {
        call();
        ADD_FAILURE() << "it did not fail";
    } catch (const ServerFailure& failure) {
        seen = {failure.kind(), failure.what(), failure.hint(), failure.sqlstate(), {}};
    } catch (const base::Failure& failure) {
        seen = {failure.kind(), failure.what(), failure.hint(), {}, {}};
    }
    seen.took = steady_clock::now() - start;
    EXPECT_EQ(seen.all().find(kSecret), std::string::npos) << seen.all();
    return seen;
}

/// One server for all tests that leave it as it was.
class SessionTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        ScratchOptions options;
        options.listen_tcp = true;
        options.settings = {{"max_connections", "10"}};
        server_ = std::make_unique<ScratchServer>(options);
    }
    static void TearDownTestSuite() { server_.reset(); }

    Session session() { return Session(server_->conninfo()); }
    std::string tcp(const std::string& rest) {
        return "host=localhost user=postgres dbname=postgres password=" + std::string(kSecret) +
               " port=" + std::to_string(server_->port()) + " " + rest;
    }

    static std::unique_ptr<ScratchServer> server_;
};
std::unique_ptr<ScratchServer> SessionTest::server_;

TEST_F(SessionTest, ReadsRowsNullsAndTypes) {
    Session one = session();
    const Rows rows =
        one.query("SELECT n, CASE WHEN n = 2 THEN NULL ELSE n::text END AS t, n / 4.0 AS r, n > 1 AS b FROM generate_series(1, 3) n");
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows.columns(), 4U);
    EXPECT_EQ(rows.column_name(1), "t");
    EXPECT_TRUE(rows.is_null(1, rows.column("t")));
    EXPECT_EQ(rows.text(1, 1), "");
    EXPECT_FALSE(rows.is_null(2, 1));
    EXPECT_EQ(rows.integer(2, 0), 3);
    EXPECT_DOUBLE_EQ(rows.real(0, 2), 0.25);
    EXPECT_FALSE(rows.boolean(0, 3));
    EXPECT_THROW(rows.column("absent"), base::Failure);
    EXPECT_THROW(rows.integer(1, 1), base::Failure);
    EXPECT_THROW(one.value("SELECT 1 WHERE false"), base::Failure);
}

TEST_F(SessionTest, SendsParametersAndCountsRows) {
    Session one = session();
    EXPECT_EQ(one.value("SELECT coalesce($1, 'was null')", {std::nullopt}), "was null");
    EXPECT_EQ(one.value("SELECT $1 || $2", {std::string("a'b"), std::string("\\c")}), "a'b\\c");
    one.script("CREATE TEMP TABLE t (n int); INSERT INTO t SELECT generate_series(1, 10)");
    EXPECT_EQ(one.query("DELETE FROM t WHERE n > $1", {"7"}).affected(), 3);
}

TEST_F(SessionTest, QuotesNamesAndLiterals) {
    Session one = session();
    const std::string name = "we\"ird; DROP TABLE x --";
    one.script("CREATE TEMP TABLE " + one.quote_identifier(name) + " (n int)");
    EXPECT_EQ(one.value("SELECT count(*) FROM pg_class WHERE relname = " + one.quote_literal(name)), "1");
    EXPECT_EQ(one.value("SELECT " + one.quote_literal("it's \\ here")), "it's \\ here");
    EXPECT_THROW(one.quote_literal("\xff\xfe"), base::Failure);
}

TEST_F(SessionTest, CarriesBigResultsAndBigCopies) {
    Session one = session();
    const Rows rows = one.query("SELECT n, repeat('x', 1000) FROM generate_series(1, 30000) n");
    ASSERT_EQ(rows.size(), 30000U);
    EXPECT_EQ(rows.integer(29999, 0), 30000);
    EXPECT_EQ(rows.text(29999, 1).size(), 1000U);
    std::string data;
    for (int n = 0; n < 500000; ++n) data += std::to_string(n) + "\tsome text of a row\n";
    one.script("CREATE TEMP TABLE c (n int, t text)");
    one.copy_in("COPY c FROM STDIN", data);
    EXPECT_EQ(one.value("SELECT count(*) || ' ' || sum(n) FROM c"), "500000 124999750000");
    const Seen bad = failure_of([&] { one.copy_in("COPY c FROM STDIN", data + "not a number\tx\n"); });
    EXPECT_EQ(bad.sqlstate, "22P02");
    EXPECT_EQ(failure_of([&] { one.script("COPY c FROM STDIN"); }).sqlstate, "57014");
    EXPECT_EQ(one.value("SELECT count(*) FROM c"), "500000");
}

TEST_F(SessionTest, FixesTheSettingsThatFormatValues) {
    Session one(server_->conninfo() + " options='-c work_mem=7MB'");
    EXPECT_EQ(one.value("SHOW timezone"), "UTC");
    EXPECT_EQ(one.value("SHOW datestyle"), "ISO, MDY");
    EXPECT_EQ(one.value("SHOW search_path"), "pg_catalog");
    EXPECT_EQ(one.value("SHOW client_encoding"), "UTF8");
    EXPECT_EQ(one.value("SHOW application_name"), "howdah");
    EXPECT_EQ(one.value("SHOW work_mem"), "7MB");
    EXPECT_EQ(one.version() / 10000, one.major());
    EXPECT_EQ(one.value("SELECT pg_backend_pid()"), std::to_string(one.backend_pid()));
}

/// A time limit meant for applications would end a backup's start, which waits for a checkpoint.
TEST_F(SessionTest, TimeoutsOfTheRoleAreNotItsOwn) {
    std::vector<std::string> names{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"};
    Session admin = session();
    if (admin.major() >= 17) names.emplace_back("transaction_timeout");
    admin.query("CREATE ROLE limited LOGIN");
    for (const auto& name : names) admin.query("ALTER ROLE limited SET " + name + " = '1min'");
    Session one(server_->conninfo() + " user=limited");
    for (const auto& name : names) EXPECT_EQ(one.value("SHOW " + name), "0") << name;
    admin.query("DROP ROLE limited");
}

TEST_F(SessionTest, StatementFailureTellsStateDetailAndStatement) {
    Session one = session();
    one.script("CREATE TEMP TABLE u (n int PRIMARY KEY); INSERT INTO u VALUES (1)");
    const Seen twice = failure_of([&] { one.query("INSERT INTO u VALUES (1)"); });
    EXPECT_EQ(twice.kind, FailureKind::operation);
    EXPECT_EQ(twice.sqlstate, "23505");
    EXPECT_NE(twice.what.find("DETAIL: Key (n)=(1) already exists."), std::string::npos) << twice.what;
    EXPECT_NE(twice.what.find("INSERT INTO u VALUES (1)"), std::string::npos) << twice.what;
    const Seen column = failure_of([&] { one.query("SELECT relnam FROM pg_class c"); });
    EXPECT_NE(column.hint.find("relname"), std::string::npos) << column.all();
    const Seen password = failure_of([&] { one.query("ALTER ROLE nobody_here PASSWORD '" + std::string(kSecret) + "'"); });
    EXPECT_EQ(password.sqlstate, "42704");
    EXPECT_TRUE(one.alive());
}

TEST_F(SessionTest, LoginRefusalsNameCauseAndWayOut) {
    const Seen wrong = failure_of([&] { Session{tcp("")}; });
    EXPECT_EQ(wrong.kind, FailureKind::server);
    EXPECT_EQ(wrong.sqlstate, "28P01") << wrong.what;
    EXPECT_NE(wrong.what.find("host localhost (127.0.0.1), port " + std::to_string(server_->port())), std::string::npos) << wrong.what;
    EXPECT_NE(wrong.hint.find("password"), std::string::npos);

    const Seen none =
        failure_of([&] { Session{"host=127.0.0.1 user=postgres passfile=/nonexistent port=" + std::to_string(server_->port())}; });
    EXPECT_EQ(none.kind, FailureKind::server);
    EXPECT_NE(none.hint.find("PGPASSWORD"), std::string::npos) << none.all();

    const Seen database = failure_of([&] { Session{server_->conninfo("nowhere")}; });
    EXPECT_EQ(database.kind, FailureKind::server);
    EXPECT_EQ(database.sqlstate, "3D000") << database.what;
    EXPECT_NE(database.hint.find("database"), std::string::npos);

    const Seen role = failure_of([&] { Session{server_->conninfo() + " user=nosuchrole"}; });
    EXPECT_EQ(role.sqlstate, "28000") << role.what;
}

TEST_F(SessionTest, TooManyConnectionsIsNamed) {
    std::vector<Session> sessions;
    const Seen full = failure_of([&] {
        for (int n = 0; n < 20; ++n) sessions.emplace_back(server_->conninfo());
    });
    EXPECT_EQ(full.kind, FailureKind::server);
    EXPECT_EQ(full.sqlstate, "53300") << full.what;
    EXPECT_NE(full.hint.find("max_connections"), std::string::npos);
}

TEST_F(SessionTest, SyntaxOfTheConnectionStringNeverShowsThePassword) {
    for (const std::string text : {"host=/tmp password=my s3cr3t-word", "host=/tmp password=my s3cr3t-word=x",
                                   "postgres://u:p@s3cr3t-word@h/db", "postgres://u:s3cr3t-word/x@h/db"}) {
        const Seen seen = failure_of([&] { Session{text}; });
        EXPECT_EQ(seen.kind, FailureKind::configuration) << seen.what;
        EXPECT_NE(seen.hint, "") << seen.what;
    }
    const Seen service = failure_of([] { Session{"service=howdah_no_such_service"}; });
    EXPECT_EQ(service.kind, FailureKind::configuration);
    EXPECT_NE(service.what.find("howdah_no_such_service"), std::string::npos) << service.what;
}

TEST_F(SessionTest, TriesTheHostsInOrder) {
    const std::string port = std::to_string(server_->port());
    const std::string socket = server_->socket_directory().string();
    // Nothing listens in the first folder; the third would be refused if it were tried.
    Session one("host=/nonexistent," + socket + ",127.0.0.1 user=postgres dbname=postgres port=" + port);
    EXPECT_EQ(one.value("SELECT inet_server_addr() IS NULL"), "t");
    Session writing("host=" + socket + " user=postgres dbname=postgres target_session_attrs=prefer-standby port=" + port);
    EXPECT_EQ(writing.value("SELECT pg_is_in_recovery()"), "f");
    const Seen standby = failure_of([&] { Session{server_->conninfo() + " target_session_attrs=standby"}; });
    EXPECT_EQ(standby.kind, FailureKind::server);
}

TEST_F(SessionTest, ReadsPassfileAndServiceFile) {
    const base::TemporaryDirectory folder("howdah-service");
    const auto service = folder.path() / "services";
    base::write_file_durably(service, "[scratch]\nhost=" + server_->socket_directory().string() +
                                          "\nport=" + std::to_string(server_->port()) + "\nuser=postgres\ndbname=postgres\n");
    EXPECT_EQ(Session(server_->tcp_conninfo()).value("SELECT current_user"), "postgres");
    ::setenv("PGSERVICEFILE", service.c_str(), 1);
    EXPECT_EQ(Session("service=scratch").value("SELECT 1"), "1");
    ::setenv("PGSERVICE", "scratch", 1);
    EXPECT_EQ(Session("").value("SELECT 1"), "1");
    ::unsetenv("PGSERVICE");
    ::unsetenv("PGSERVICEFILE");
}

TEST_F(SessionTest, ReplicationSessionsAnswer) {
    SessionOptions options;
    options.replication = true;
    Session one(server_->conninfo(), options);
    const Rows rows = one.query("IDENTIFY_SYSTEM");
    EXPECT_EQ(rows.text(0, 0), session().value("SELECT system_identifier FROM pg_control_system()"));
    EXPECT_EQ(failure_of([&] { one.query("START_REPLICATION 0/0"); }).kind, FailureKind::operation);
}

TEST_F(SessionTest, CancelStopsAStatementWithinATenthOfASecond) {
    base::Cancellation cancellation;
    Session one(server_->conninfo(), SessionOptions{}, cancellation);
    const std::string pid = std::to_string(one.backend_pid());
    steady_clock::time_point asked;
    std::thread canceller([&] {
        Session watcher = session();
        while (watcher.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = $1::int", {pid}) == "0") {
        }
        asked = steady_clock::now();
        cancellation.request();
    });
    EXPECT_THROW(one.query("SELECT pg_sleep(60)"), base::Cancelled);
    const auto took = steady_clock::now() - asked;
    canceller.join();
    EXPECT_LT(took, milliseconds(100));
    EXPECT_FALSE(one.alive());
    EXPECT_THROW(one.query("SELECT 1"), ServerFailure);
    // The server side ends too: the cancel request arrived.
    Session watcher = session();
    const auto limit = steady_clock::now() + std::chrono::seconds(20);
    while (watcher.value("SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int", {pid}) != "0") ASSERT_LT(steady_clock::now(), limit);
}

TEST_F(SessionTest, DeadlineEndsAStatement) {
    SessionOptions options;
    options.statement_timeout = milliseconds(200);
    Session one(server_->conninfo(), options);
    const Seen late = failure_of([&] { one.query("SELECT pg_sleep(60)"); });
    EXPECT_EQ(late.kind, FailureKind::server);
    EXPECT_GE(late.took, milliseconds(200));
    EXPECT_LT(late.took, milliseconds(1000));
    EXPECT_FALSE(one.alive());
}

TEST_F(SessionTest, TerminationTellsTheServersWords) {
    Session one = session();
    EXPECT_TRUE(one.probe());
    session().query("SELECT pg_terminate_backend($1::int, 10000)", {std::to_string(one.backend_pid())});
    const Seen seen = failure_of([&] { one.query("SELECT 1"); });
    EXPECT_EQ(seen.kind, FailureKind::server);
    EXPECT_EQ(seen.sqlstate, "57P01") << seen.what;
    EXPECT_FALSE(one.alive());
    EXPECT_FALSE(one.probe());
}

TEST(SessionFailures, AliveSeesADeadServer) {
    ScratchServer server(ScratchOptions{});
    const std::string conninfo = server.conninfo();
    Session one(conninfo);
    EXPECT_TRUE(one.alive());
    server.kill();
    EXPECT_FALSE(one.alive());
    const Seen down = failure_of([&] { Session{conninfo}; });
    EXPECT_EQ(down.kind, FailureKind::server);
    EXPECT_NE(down.hint.find("running"), std::string::npos) << down.all();
    EXPECT_NE(down.what.find(server.socket_directory().string()), std::string::npos) << down.what;
}

TEST(SessionFailures, AStoppedServerHoldsNobodyPastTheDeadline) {
    const ScratchServer server(ScratchOptions{});
    const pid_t postmaster = std::stoi(base::read_file(server.data_directory() / "postmaster.pid"));
    SessionOptions options;
    options.statement_timeout = milliseconds(300);
    options.connect_timeout = milliseconds(300);
    Session one(server.conninfo(), options);
    ::kill(postmaster, SIGSTOP);
    ::kill(one.backend_pid(), SIGSTOP);
    const Seen statement = failure_of([&] { one.query("SELECT 1"); });
    EXPECT_EQ(statement.kind, FailureKind::server);
    EXPECT_LT(statement.took, milliseconds(800));
    const Seen dial = failure_of([&] { Session(server.conninfo(), options); });
    EXPECT_EQ(dial.kind, FailureKind::server);
    EXPECT_LT(dial.took, milliseconds(800));
    ::kill(postmaster, SIGCONT);
}

}  // namespace
}  // namespace howdah::postgres
