#include <atomic>
#include <stop_token>
#include <thread>

#include "scenario/client/ground.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Execute : public ClientTest {};

TEST_F(Execute, TextWithParameters) {
    Client client = open();
    EXPECT_EQ(shown(client.execute("SELECT $1::int + $2::int", 3, 4)), "7");
    EXPECT_EQ(shown<std::string>(client.execute("SELECT upper($1)", "howdah")), "HOWDAH");
    const auto rows = client.execute("SELECT g, NULL::text FROM generate_series(1, 3) g");
    ASSERT_TRUE(rows) << rows.error().message();
    EXPECT_EQ(rows->size(), 3U);
    EXPECT_EQ((*rows)[2].get<int>(0).value(), 3);
    EXPECT_FALSE((*rows)[2].get<std::optional<std::string>>(1).value());
    EXPECT_TRUE(client.execute(""));
}

TEST_F(Execute, AffectedRowsAndTag) {
    const std::string name = table("id int");
    Client client = open();
    const auto rows = client.execute("INSERT INTO " + name + " SELECT generate_series(1, 5)");
    ASSERT_TRUE(rows) << rows.error().message();
    EXPECT_EQ(rows->affected(), 5);
    EXPECT_EQ(rows->command_tag(), "INSERT 0 5");
}

TEST_F(Execute, PreparesAStatementOnceASession) {
    Client client = open(1);
    static const Statement kAdd{"SELECT $1::int + 1"};
    for (int number = 0; number < 20; ++number) EXPECT_EQ(shown(client.execute(kAdd, number)), std::to_string(number + 1));
    EXPECT_EQ(shown(client.execute("SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql")), "1");
    EXPECT_EQ(shown(client.execute("SELECT calls FROM (SELECT generic_plans + custom_plans AS calls FROM pg_prepared_statements) s")),
              "20");
}

TEST_F(Execute, APreparedStatementMayDoAnything) {
    const std::string name = table("id int");
    Client client = open(1);
    const Statement insert("INSERT INTO " + name + " VALUES ($1)");
    static const Statement kDivide{"SELECT 1 / $1::int"};
    static const Statement kLong{"SELECT repeat('x', $1)"};
    static const Statement kSet{"SET work_mem = '3MB'"};
    static const Statement kNothing{""};
    for (int time = 0; time < 3; ++time) {
        const auto rows = client.execute(insert, time);
        ASSERT_TRUE(rows) << rows.error().message();
        EXPECT_EQ(rows->command_tag(), "INSERT 0 1");
        const auto refused = client.execute(kDivide, 0);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().sqlstate(), "22012");
        EXPECT_EQ(shown(client.execute(kDivide, 1)), "1");
        const auto text = client.execute(kLong, 3'000'000);
        ASSERT_TRUE(text) << text.error().message();
        EXPECT_EQ((*text)[0].get<std::string_view>(0).value().size(), 3'000'000U);
        ASSERT_TRUE(client.execute(kSet));
        EXPECT_NE(shown<std::string>(client.execute("SHOW work_mem")), "3MB");
        EXPECT_TRUE(client.execute(kNothing));
    }
    EXPECT_EQ(shown(client.execute("SELECT count(*) FROM " + name)), "3");
}

TEST_F(Execute, DeadlinesOfOneSessionMayComeInAnyOrder) {
    Client client = open(1);
    static const Statement kSleep{"SELECT pg_sleep($1)"};
    const auto taken = [&](Duration limit, double seconds) {
        const Moment begun = std::chrono::steady_clock::now();
        const auto rows = client.execute({.deadline = begun + limit}, kSleep, seconds);
        EXPECT_EQ(rows.has_value(), seconds == 0);
        if (!rows) {
            EXPECT_EQ(rows.error().cause(), Cause::timed_out) << rows.error().message();
        }
        return std::chrono::steady_clock::now() - begun;
    };
    taken(10s, 0);
    // Each waits for its own deadline: shorter and longer than the one before, and after one that has passed meanwhile unused.
    for (const auto& [before, limit] : {std::pair{10s, 300ms}, {10s, 500ms}, {10s, 200ms}}) {
        taken(before, 0);
        taken(limit - 100ms, 0);
        const Duration waited = taken(limit, 20);
        EXPECT_GE(waited, limit);
        EXPECT_LT(waited, limit + 5s);
    }
}

TEST_F(Execute, AStatementWhoseParameterTypesChange) {
    Client client = open(1);
    static const Statement kSame{"SELECT $1"};
    EXPECT_EQ(shown(client.execute(kSame, 7)), "7");
    EXPECT_EQ(shown<std::string>(client.execute(kSame, "seven")), "seven");
    EXPECT_EQ(shown<double>(client.execute(kSame, 2.5)), std::to_string(2.5));
    EXPECT_EQ(shown(client.execute(kSame, 8)), "8");
}

TEST_F(Execute, AStatementThatCouldNotBePreparedAnewRecovers) {
    Client client = open(1);
    static const Statement kDouble{"SELECT $1 * 2"};
    EXPECT_EQ(shown(client.execute(kDouble, 7)), "14");
    EXPECT_FALSE(client.execute(kDouble, true));
    EXPECT_EQ(shown(client.execute(kDouble, 7)), "14");
    EXPECT_FALSE(client.execute(kDouble, true));
    const auto inside = client.run([&](Transaction& transaction) -> Result<Rows> { return transaction.execute(kDouble, 8); });
    EXPECT_EQ(shown(inside), "16");
}

TEST_F(Execute, AStatementThatTheServerForgotIsPreparedAgain) {
    Client client = open(1);
    static const Statement kOne{"SELECT 1"};
    EXPECT_EQ(shown(client.execute(kOne)), "1");
    EXPECT_TRUE(client.execute("DEALLOCATE ALL"));
    EXPECT_EQ(shown(client.execute(kOne)), "1");
}

TEST_F(Execute, APlanThatIsOutdatedIsMadeAgain) {
    const std::string name = table("id int");
    admin_.ask("INSERT INTO " + name + " VALUES (5)");
    Client client = open(1);
    const Statement all("SELECT * FROM " + name);
    EXPECT_EQ(shown(client.execute(all)), "5");
    admin_.ask("ALTER TABLE " + name + " ALTER id TYPE text");
    EXPECT_EQ(shown<std::string>(client.execute(all)), "5");
}

TEST_F(Execute, ErrorsOfTheServerSayWhatTheyAre) {
    const std::string name = table("id int PRIMARY KEY");
    Client client = open();
    const auto syntax = client.execute("SELEC 1");
    ASSERT_FALSE(syntax);
    EXPECT_EQ(syntax.error().sqlstate(), "42601");
    EXPECT_EQ(syntax.error().outcome(), Outcome::failed);
    EXPECT_EQ(syntax.error().cause(), Cause::refused);
    EXPECT_NE(syntax.error().endpoint().find("socket folder"), std::string::npos);
    EXPECT_TRUE(client.execute("INSERT INTO " + name + " VALUES (1)"));
    const auto taken = client.execute("INSERT INTO " + name + " VALUES (1)");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().sqlstate(), "23505");
    EXPECT_NE(taken.error().detail().find("(id)=(1)"), std::string::npos);
    EXPECT_EQ(client.figures().pool.idle, 1U);
    EXPECT_EQ(client.figures().breaker.failures, 0U);
}

TEST_F(Execute, SeveralStatementsInATextAreRefused) {
    const auto rows = open().execute("SELECT 1; SELECT 2");
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().sqlstate(), "42601");
}

TEST_F(Execute, CopyIsAUsageErrorAndTheNextCallWorks) {
    const std::string name = table("id int");
    Client client = open(1);
    for (const std::string& sql : {"COPY " + name + " FROM STDIN", "COPY " + name + " TO STDOUT"}) {
        const auto rows = client.execute(sql);
        ASSERT_FALSE(rows) << sql;
        EXPECT_EQ(rows.error().cause(), Cause::usage);
        EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
    }
    const auto inside =
        client.run([&](Transaction& transaction) -> Result<Rows> { return transaction.execute("COPY " + name + " TO STDOUT"); });
    EXPECT_FALSE(inside);
    EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
}

TEST_F(Execute, DeadlineDuringTheStatement) {
    Client client = open(1);
    ASSERT_TRUE(await_monitor(client));
    ASSERT_TRUE(client.execute("SELECT 1"));
    const Stopwatch watch;
    const auto rows = client.execute({.deadline = in(100ms)}, "SELECT pg_sleep(30)");
    EXPECT_LT(watch.taken(), 500ms);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().cause(), Cause::timed_out);
    EXPECT_EQ(rows.error().phase(), Phase::receive);
    EXPECT_EQ(rows.error().outcome(), Outcome::unknown);
    // The statement was cancelled, and the session is the same.
    EXPECT_EQ(shown(client.execute({.deadline = in(2s)}, "SELECT 1")), "1");
    EXPECT_FALSE(runs("%pg_sleep(30)%"));
}

TEST_F(Execute, QueryTimeHoldsWithoutADeadline) {
    ClientOptions limited = options(1);
    limited.endpoint.query_time = 100ms;
    Client client = open(std::move(limited));
    const auto rows = client.execute("SELECT pg_sleep(30)");
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().cause(), Cause::timed_out);
}

TEST_F(Execute, ADeadlineThatHasPassedSendsNothing) {
    const std::string name = table("id int");
    Client client = open(1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    for (int number = 0; number < 50; ++number) {
        const auto rows = client.execute({.deadline = in(-1ms)}, "INSERT INTO " + name + " VALUES (1)");
        ASSERT_FALSE(rows);
        EXPECT_EQ(rows.error().cause(), Cause::timed_out);
        EXPECT_EQ(rows.error().outcome(), Outcome::not_sent);
    }
    ASSERT_TRUE(client.execute("SELECT 1"));
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), 0);
}

TEST_F(Execute, DeadlineInTheQueue) {
    Client client = open(1);
    const auto lease = client.borrow({.tag = "the holder"});
    ASSERT_TRUE(lease);
    const Stopwatch watch;
    const auto rows = client.execute({.deadline = in(80ms)}, "SELECT 1");
    EXPECT_GE(watch.taken(), 79ms);
    EXPECT_LT(watch.taken(), 500ms);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().phase(), Phase::borrow);
    EXPECT_EQ(rows.error().cause(), Cause::timed_out);
    EXPECT_EQ(rows.error().outcome(), Outcome::not_sent);
}

TEST_F(Execute, DeadlineWhileDialling) {
    const Impostor silent(Impostor::Manner::silent);
    ClientOptions there = options(2);
    there.endpoint.conninfo = silent.conninfo();
    Client client = open(std::move(there));
    const Stopwatch watch;
    const auto rows = client.execute({.deadline = in(80ms)}, "SELECT 1");
    EXPECT_LT(watch.taken(), 500ms);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().phase(), Phase::borrow);
    EXPECT_EQ(rows.error().outcome(), Outcome::not_sent);
    EXPECT_NE(rows.error().message().find("dialling"), std::string::npos) << rows.error().message();
}

TEST_F(Execute, AStopTokenEndsTheWaitingInTheQueueAndForTheAnswer) {
    Client client = open(1);
    {
        std::stop_source stop;
        std::jthread stopper([&] {
            eventually([&] { return runs("%pg_sleep(30)%"); });
            stop.request_stop();
        });
        const auto rows = client.execute({.stop = stop.get_token()}, "SELECT pg_sleep(30)");
        ASSERT_FALSE(rows);
        EXPECT_EQ(rows.error().cause(), Cause::cancelled);
        EXPECT_EQ(rows.error().outcome(), Outcome::unknown);
    }
    const auto lease = client.borrow();
    ASSERT_TRUE(lease);
    std::stop_source stop;
    std::jthread stopper([&] {
        eventually([&] { return client.figures().pool.waiting == 1; });
        stop.request_stop();
    });
    const auto rows = client.execute({.stop = stop.get_token()}, "SELECT 1");
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().cause(), Cause::cancelled);
    EXPECT_EQ(rows.error().outcome(), Outcome::not_sent);
    EXPECT_EQ(client.figures().pool.waiting, 0U);
}

TEST_F(Execute, AnEndedSessionIsNotAnErrorForAStatementThatMayRunTwice) {
    Client client = open(1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    terminate_sessions();
    EXPECT_EQ(shown(client.execute({.repeatable = true}, "SELECT 2")), "2");
}

TEST_F(Execute, AStatementThatMayNotRunTwiceIsUnknownWhenItsSessionEnds) {
    const std::string name = table("id int");
    Client client = open(1);
    std::jthread killer([&] {
        eventually([&] { return runs("%pg_sleep(3)%"); });
        terminate_sessions();
    });
    const auto rows = client.execute("INSERT INTO " + name + " SELECT 1 FROM pg_sleep(3)");
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().outcome(), Outcome::unknown);
    EXPECT_EQ(rows.error().sqlstate(), "57P01") << rows.error().message();
}

TEST_F(Execute, AParameterThatCannotBeSentTouchesNothing) {
    Client client = open(1);
    const auto rows = client.execute("SELECT $1::text", std::string("a\0b", 3));
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().phase(), Phase::encode);
    EXPECT_EQ(client.figures().pool.occupied(), 0U);
}

TEST_F(Execute, ManyThreadsShareFewSessions) {
    Client client = open(4);
    std::atomic<int> wrong{0};
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 16; ++thread) {
        threads.emplace_back([&, thread] {
            static const Statement kAdd{"SELECT $1::int + $2::int"};
            for (int number = 0; number < 200; ++number) {
                if (shown(client.execute(kAdd, thread, number)) != std::to_string(thread + number)) ++wrong;
            }
        });
    }
    threads.clear();
    EXPECT_EQ(wrong, 0);
    EXPECT_LE(sessions(), 4);
    EXPECT_EQ(client.figures().pool.misused, 0U);
    EXPECT_EQ(client.figures().call.count, 3200U);
}

}  // namespace
}  // namespace howdah::tests
