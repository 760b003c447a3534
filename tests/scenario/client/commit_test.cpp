#include <thread>

#include "scenario/client/ground.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

/// Commits whose answer is lost, and keys.
class Commit : public ClientTest {
protected:
    /// A trigger that ends the session while it commits: before the commit took place.
    void die_while_committing(const std::string& table) {
        admin_.ask("CREATE OR REPLACE FUNCTION " + name_ +
                   "_die() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END $$");
        admin_.ask("CREATE CONSTRAINT TRIGGER die AFTER INSERT ON " + table +
                   " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION " + name_ + "_die()");
    }
    /// Commits wait for that standby from now on.
    void await_standbys(const std::string& names) {
        admin_.ask("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
        admin_.ask("SELECT pg_reload_conf()");
        EXPECT_TRUE(eventually([&] { return Admin(server_.conninfo()).ask("SHOW synchronous_standby_names") == names; }));
        // Commits wait from when the checkpointer has read the names; it does so before it begins a checkpoint.
        admin_.ask("CHECKPOINT");
    }
    ~Commit() override { admin_.ask("DROP FUNCTION IF EXISTS " + name_ + "_die() CASCADE"); }
    /// With a key table of the test's own.
    Client open_keyed() {
        ClientOptions keyed = options(2);
        keyed.key_table = name_ + "_key";
        Client client = open(std::move(keyed));
        EXPECT_TRUE(client.execute(client.key_table_sql()));
        tables_.push_back(name_ + "_key");
        return client;
    }
    Result<Rows> insert(Client& client, const std::string& table, const TransactionOptions& options, int id) {
        return client.run(options, [&](Transaction& transaction) -> Result<Rows> {
            ++runs_;
            return transaction.execute("INSERT INTO " + table + " VALUES ($1)", id);
        });
    }
    /// 1, with which a session dies in the table of die_while_committing(), and 2 when the body runs again.
    Result<Rows> insert_and_die_first(Client& client, const std::string& table, const TransactionOptions& options) {
        return client.run(options, [&](Transaction& transaction) -> Result<Rows> {
            ++runs_;
            return transaction.execute("INSERT INTO " + table + " VALUES ($1)", transaction.tries() == 1 ? 1 : 2);
        });
    }
    /// 7, and the session is ended while its commit, which took place, waits for a standby.
    Result<Rows> insert_and_lose_the_answer(Client& client, const std::string& table, const TransactionOptions& options) {
        await_standbys("nobody");
        std::jthread killer([&] {
            eventually([&] { return admin_.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == 1; });
            terminate_sessions();
        });
        auto done = insert(client, table, options, 7);
        killer.join();
        await_standbys("");
        return done;
    }
    int runs_ = 0;
};

TEST_F(Commit, AKeyIsDoneOnce) {
    const std::string name = table("id int");
    Client client = open_keyed();
    ASSERT_TRUE(insert(client, name, {.key = "order 5"}, 5));
    const auto again = insert(client, name, {.key = "order 5"}, 5);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().outcome(), Outcome::succeeded);
    EXPECT_TRUE(insert(client, name, {.key = "order 6"}, 6));
    EXPECT_EQ(admin_.ask("SELECT string_agg(id::text, ',' ORDER BY id) FROM " + name), "5,6");
}

TEST_F(Commit, AKeyWhoseTransactionFailedIsFreeAgain) {
    const std::string name = table("id int PRIMARY KEY");
    Client client = open_keyed();
    ASSERT_TRUE(insert(client, name, {}, 5));
    const auto failed = insert(client, name, {.key = "order 5"}, 5);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().outcome(), Outcome::failed);
    EXPECT_TRUE(insert(client, name, {.key = "order 5"}, 6));
}

TEST_F(Commit, ATakenKeyOfTheBodysOwnIsNoKeyOfOurs) {
    const std::string name = table("id int PRIMARY KEY");
    Client client = open(2);
    ASSERT_TRUE(insert(client, name, {}, 5));
    const auto taken = insert(client, name, {}, 5);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().outcome(), Outcome::failed);
}

TEST_F(Commit, TheKeyTableMayStandInASchemaAndHaveCapitals) {
    const std::string name = table("id int");
    ClientOptions keyed = options(2);
    keyed.key_table = "public.Key_" + name_;
    Client client = open(std::move(keyed));
    ASSERT_TRUE(client.execute(client.key_table_sql()));
    tables_.push_back("public.\"Key_" + name_ + '"');
    EXPECT_TRUE(insert(client, name, {.key = "order 5"}, 5));
    EXPECT_FALSE(insert(client, name, {.key = "order 5"}, 5));
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + tables_.back()), 1);
}

TEST_F(Commit, AKeyTableThatWouldNeedEscapesIsRefusedAtOnce) {
    const std::vector<std::string> names{
        "", ".", "keys.", ".keys", "a.b.c", "my keys", "k\"; DROP TABLE k", "1st", "schl\xc3\xbcssel", std::string(64, 'k')};
    for (const std::string& name : names) {
        ClientOptions keyed = options(1);
        keyed.key_table = name;
        const auto client = Client::open(std::move(keyed));
        ASSERT_FALSE(client) << name;
        EXPECT_EQ(client.error().phase(), Phase::configure);
        EXPECT_EQ(client.error().message(), "key_table is no plain name of a table: '" + name + "'");
    }
}

TEST_F(Commit, AMissingKeyTableIsTold) {
    const std::string name = table("id int");
    ClientOptions keyed = options(2);
    keyed.key_table = "no_such_table";
    Client client = open(std::move(keyed));
    const auto failed = insert(client, name, {.key = "order 5"}, 5);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().sqlstate(), "42P01");
    EXPECT_NE(failed.error().hint().find("key_table_sql"), std::string::npos) << failed.error().hint();
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), 0);
}

TEST_F(Commit, OneThatEndedBeforeItCommittedIsFoundOutAndRunAgain) {
    const std::string name = table("id int");
    die_while_committing(name);
    Client client = open(2);
    ASSERT_TRUE(await_monitor(client));
    const auto done = insert_and_die_first(client, name, {});
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(runs_, 2);
    EXPECT_EQ(admin_.ask("SELECT string_agg(id::text, ',') FROM " + name), "2");
    EXPECT_EQ(client.figures().unknown_commits, 1U);
    EXPECT_EQ(client.figures().resolved_commits, 1U);
}

TEST_F(Commit, WithoutAMonitorItStaysUnknownAndIsNotRunAgain) {
    const std::string name = table("id int");
    die_while_committing(name);
    ClientOptions alone = options(2);
    alone.monitor.reset();
    alone.endpoint.borrow_time = 300ms;
    Client client = open(std::move(alone));
    const auto done = insert(client, name, {}, 1);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().outcome(), Outcome::unknown);
    EXPECT_EQ(runs_, 1);
    EXPECT_EQ(client.figures().unknown_commits, 1U);
    EXPECT_EQ(client.figures().resolved_commits, 0U);
}

TEST_F(Commit, WithAKeyALostOneIsRunAgainAndDoneOnce) {
    const std::string name = table("id int");
    die_while_committing(name);
    Client client = open_keyed();
    const auto done = insert_and_die_first(client, name, {.key = "k"});
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(runs_, 2);
    EXPECT_EQ(client.figures().unknown_commits, 1U);
    EXPECT_EQ(client.figures().resolved_commits, 1U) << "the key told";
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), 1);
}

TEST_F(Commit, AReadOnlyOneHasNothingToLose) {
    Client client = open(2);
    ASSERT_TRUE(await_monitor(client));
    int runs = 0;
    const auto done = client.run({.read_only = true}, [&](Transaction& transaction) -> Result<Rows> {
        ++runs;
        auto rows = transaction.execute("SELECT 1");
        if (runs == 1) terminate_sessions();
        return rows;
    });
    EXPECT_EQ(shown(done), "1");
    EXPECT_EQ(runs, 2);
}

TEST_F(Commit, OneWhoseAnswerWasLostIsFoundCommittedAndNotRunAgain) {
    const std::string name = table("id int");
    Client client = open(2);
    ASSERT_TRUE(await_monitor(client));
    ASSERT_TRUE(client.execute("SELECT 1"));
    const auto done = insert_and_lose_the_answer(client, name, {});
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(runs_, 1);
    EXPECT_EQ(client.figures().unknown_commits, 1U);
    EXPECT_EQ(client.figures().resolved_commits, 1U);
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), 1);
}

TEST_F(Commit, WithAKeyOneThatTookPlaceIsNotDoneAgain) {
    const std::string name = table("id int");
    Client client = open_keyed();
    const auto done = insert_and_lose_the_answer(client, name, {.key = "k"});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().outcome(), Outcome::succeeded) << done.error().message();
    EXPECT_EQ(runs_, 2);
    EXPECT_EQ(client.figures().unknown_commits, 1U);
    EXPECT_EQ(client.figures().resolved_commits, 1U) << "the key told";
    EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), 1);
}

TEST_F(Commit, OneThatWaitsForAStandbyIsNotCutShortByTheServersTimeout) {
    const std::string name = table("id int");
    for (const bool by_deadline : {false, true}) {
        SCOPED_TRACE(by_deadline ? "deadline" : "query time");
        ClientOptions limited = options(1);
        limited.endpoint.query_time = 150ms;
        limited.endpoint.borrow_time = 300ms;
        Client client = open(std::move(limited));
        ASSERT_TRUE(await_monitor(client));
        ASSERT_TRUE(client.execute("SELECT 1"));
        await_standbys("nobody");
        const auto done = insert(client, name, {.deadline = by_deadline ? in(150ms) : kNever}, 5);
        EXPECT_FALSE(done) << "a commit that no standby has was called certain";
        if (!done) {
            EXPECT_EQ(done.error().outcome(), Outcome::unknown) << done.error().message();
        }
        // It still waits: nobody has cut it short.
        EXPECT_EQ(
            admin_.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = '" + name_ + "'"), 1);
        await_standbys("");
        EXPECT_EQ(shown(client.execute({.deadline = in(5s)}, "SELECT 1")), "1");
    }
}

}  // namespace
}  // namespace howdah::tests
