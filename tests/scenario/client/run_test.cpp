#include <atomic>
#include <stdexcept>
#include <thread>

#include "scenario/client/ground.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Run : public ClientTest {
protected:
    std::string all(const std::string& table) { return admin_.ask("SELECT string_agg(id::text, ',' ORDER BY id) FROM " + table); }
};

TEST_F(Run, CommitsAndReturnsTheValue) {
    const std::string name = table("id int");
    Client client = open();
    const auto sum = client.run([&](Transaction& transaction) -> Result<int> {
        for (const int id : {1, 2, 3}) {
            if (auto done = transaction.execute("INSERT INTO " + name + " VALUES ($1)", id); !done) return done.error();
        }
        return 6;
    });
    ASSERT_TRUE(sum) << sum.error().message();
    EXPECT_EQ(*sum, 6);
    EXPECT_EQ(all(name), "1,2,3");
}

TEST_F(Run, ABodyWithoutStatementsNeedsNoTransaction) {
    Client client = open();
    EXPECT_EQ(*client.run([](Transaction&) -> Result<int> { return 5; }), 5);
}

TEST_F(Run, TheBodysOwnErrorRollsBackAndIsPassedOnUnchanged) {
    const std::string name = table("id int");
    Client client = open();
    int runs = 0;
    const auto done = client.run([&](Transaction& transaction) -> Result<int> {
        ++runs;
        if (auto rows = transaction.execute("INSERT INTO " + name + " VALUES (1)"); !rows) return rows.error();
        return Error(Phase::configure, Cause::usage, {"the stock is empty", "of 5 boxes", "order some", "shelf 3"}, SqlState("40001"));
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(done.error().message(), "the stock is empty");
    EXPECT_EQ(done.error().detail(), "of 5 boxes");
    EXPECT_EQ(done.error().hint(), "order some");
    EXPECT_EQ(done.error().endpoint(), "shelf 3");
    EXPECT_EQ(done.error().sqlstate(), "40001");
    EXPECT_EQ(all(name), "");
    EXPECT_EQ(client.figures().pool.idle, 1U);
}

struct Odd {
    int number;
};

TEST_F(Run, ExceptionsRollBackCastNoVoteAndAreRethrownUnchanged) {
    const std::string name = table("id int");
    ClientOptions strict = options(1);
    strict.breaker.sole_primary = false;
    strict.breaker.consecutive_failures = 1;
    Client client = open(std::move(strict));
    const auto run = [&](bool after_failure) {
        return client.run([&](Transaction& transaction) -> Result<int> {
            EXPECT_TRUE(transaction.execute("INSERT INTO " + name + " VALUES (1)"));
            if (after_failure) {
                EXPECT_FALSE(transaction.execute("SELECT 1/0"));
            }
            throw Odd{7};
        });
    };
    for (const bool after_failure : {false, true}) {
        try {
            static_cast<void>(run(after_failure));
            FAIL() << "nothing was thrown";
        } catch (const Odd& odd) {
            EXPECT_EQ(odd.number, 7);
        }
    }
    EXPECT_EQ(all(name), "");
    EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
    EXPECT_EQ(client.figures().breaker_state, BreakerState::closed);
    EXPECT_EQ(client.figures().breaker.failures, 0U);
    EXPECT_EQ(sessions(), 1);
}

TEST_F(Run, ASerialisationFailureRunsTheWholeBodyAgain) {
    const std::string name = table("id int PRIMARY KEY, amount int");
    admin_.ask("INSERT INTO " + name + " SELECT g, 0 FROM generate_series(1, 2) g");
    Client client = open(8);
    std::atomic<unsigned> most{0};
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 6; ++thread) {
        threads.emplace_back([&] {
            for (int round = 0; round < 15; ++round) {
                const auto done =
                    client.run({.isolation = Isolation::serializable, .tries = 1000}, [&](Transaction& transaction) -> Result<int> {
                        most = std::max<unsigned>(most, transaction.tries());
                        const auto sum = transaction.execute("SELECT sum(amount)::int FROM " + name);
                        if (!sum) return sum.error();
                        const int next = sum->one<int>().value() + 1;
                        const auto rows = transaction.execute("UPDATE " + name + " SET amount = amount + 1 WHERE id = $1", next % 2 + 1);
                        if (!rows) return rows.error();
                        return next;
                    });
                EXPECT_TRUE(done) << done.error().message();
            }
        });
    }
    threads.clear();
    EXPECT_EQ(admin_.number("SELECT sum(amount) FROM " + name), 90);
    EXPECT_GT(most, 1U);
    EXPECT_GT(client.figures().retries_contention, 0U);
    EXPECT_EQ(client.figures().retries_failure, 0U);
    EXPECT_EQ(client.figures().breaker.failures, 0U);
}

TEST_F(Run, ADeadlockRunsTheWholeBodyAgain) {
    const std::string name = table("id int PRIMARY KEY, amount int");
    admin_.ask("INSERT INTO " + name + " VALUES (1, 0), (2, 0)");
    Client client = open();
    std::atomic<int> met{0};
    const auto both = [&](int first, int second) {
        const auto done = client.run([&](Transaction& transaction) -> Result<int> {
            if (transaction.tries() == 1) {
                EXPECT_TRUE(transaction.execute("SET LOCAL deadlock_timeout = '20ms'"));
            }
            if (auto rows = transaction.execute("UPDATE " + name + " SET amount = amount + 1 WHERE id = $1", first); !rows)
                return rows.error();
            ++met;
            if (transaction.tries() == 1) eventually([&] { return met >= 2; });
            if (auto rows = transaction.execute("UPDATE " + name + " SET amount = amount + 1 WHERE id = $1", second); !rows)
                return rows.error();
            return 0;
        });
        EXPECT_TRUE(done) << done.error().message();
    };
    std::jthread other([&] { both(2, 1); });
    both(1, 2);
    other.join();
    EXPECT_EQ(admin_.number("SELECT sum(amount) FROM " + name), 4);
    EXPECT_GE(client.figures().retries_contention, 1U);
}

TEST_F(Run, ABudgetThatIsSpentEndsTheTries) {
    ClientOptions poor = options(1);
    poor.contention_budget = {.earned_per_call = 0, .cost = 1000, .cost_after_timeout = 1000, .floor_per_second = 3000, .cap = 3000};
    std::atomic<int> told{0};
    std::atomic<int> refused{0};
    poor.observer.on_retry = [&](std::string_view, const RetryEvent& event) {
        ++told;
        if (!event.repeated) ++refused;
        EXPECT_EQ(event.reason, "serialisation failure");
    };
    Client client = open(std::move(poor));
    int runs = 0;
    const auto fail = [&](Transaction& transaction) -> Result<Rows> {
        ++runs;
        return transaction.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
    };
    const auto done = client.run({.tries = 1000}, fail);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().sqlstate(), "40001");
    EXPECT_EQ(done.error().outcome(), Outcome::failed);
    EXPECT_GE(runs, 4);
    EXPECT_LE(runs, 6);
    EXPECT_EQ(told, runs);
    EXPECT_EQ(refused, 1);
    EXPECT_EQ(client.figures().retries_refused, 1U);
    runs = 0;
    EXPECT_FALSE(client.run({.tries = 1}, fail));
    EXPECT_EQ(runs, 1);
}

TEST_F(Run, TheDeadlineHoldsOverAllTries) {
    Client client = open(1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    int runs = 0;
    const Stopwatch watch;
    const auto done = client.run({.deadline = in(200ms), .tries = 100'000}, [&](Transaction& transaction) -> Result<Rows> {
        ++runs;
        return transaction.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
    });
    EXPECT_FALSE(done);
    EXPECT_GT(runs, 2);
    EXPECT_LT(watch.taken(), 600ms);
}

TEST_F(Run, ANestedRunIsNotRepeatedByItself) {
    Client client = open();
    int outer = 0;
    int inner = 0;
    const auto done = client.run({.tries = 3}, [&](Transaction&) -> Result<Rows> {
        ++outer;
        return client.run({.tries = 3}, [&](Transaction& transaction) -> Result<Rows> {
            ++inner;
            return transaction.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
        });
    });
    EXPECT_FALSE(done);
    // The inner one's failure is the outer body's own error, which is passed on.
    EXPECT_EQ(outer, 1);
    EXPECT_EQ(inner, 1);
    EXPECT_EQ(client.figures().retries_contention, 0U);
}

TEST_F(Run, IsolationReadOnlyAndDeferrableReachTheServer) {
    Client client = open();
    const auto tell = [&](const TransactionOptions& options) {
        return shown<std::string>(client.run(options, [](Transaction& transaction) -> Result<Rows> {
            return transaction.execute(
                "SELECT current_setting('transaction_isolation') || '/' || current_setting('transaction_read_only') || '/' || "
                "current_setting('transaction_deferrable')");
        }));
    };
    EXPECT_EQ(tell({}), "read committed/off/off");
    EXPECT_EQ(tell({.isolation = Isolation::repeatable_read}), "repeatable read/off/off");
    EXPECT_EQ(tell({.isolation = Isolation::serializable, .read_only = true, .deferrable = true}), "serializable/on/on");
    EXPECT_EQ(tell({.isolation = Isolation::read_committed, .read_only = true}), "read committed/on/off");
}

TEST_F(Run, AWriteInAReadOnlyTransactionIsTheCallersMistake) {
    const std::string name = table("id int");
    Client client = open(2);
    const auto one = client.borrow();
    static_cast<void>(client.borrow());
    ASSERT_EQ(client.figures().pool.open(), 2U);
    int runs = 0;
    const auto done = client.run({.read_only = true}, [&](Transaction& transaction) -> Result<Rows> {
        ++runs;
        return transaction.execute("INSERT INTO " + name + " VALUES (1)");
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().sqlstate(), "25006");
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(client.figures().pool.open(), 2U);
    EXPECT_EQ(client.figures().pool.closing, 0U);
}

TEST_F(Run, SavepointsNest) {
    const std::string name = table("id int PRIMARY KEY");
    Client client = open();
    const auto insert = [&](Transaction& transaction, int id) { return transaction.execute("INSERT INTO " + name + " VALUES ($1)", id); };
    const auto done = client.run([&](Transaction& transaction) -> Result<int> {
        EXPECT_TRUE(insert(transaction, 1));
        const auto outer = transaction.savepoint([&](Transaction& again) -> Result<int> {
            EXPECT_TRUE(insert(again, 2));
            const auto taken = again.savepoint([&](Transaction& third) -> Result<int> {
                EXPECT_TRUE(insert(third, 3));
                if (auto rows = insert(third, 1); !rows) return rows.error();
                return 0;
            });
            EXPECT_FALSE(taken);
            EXPECT_EQ(taken.error().sqlstate(), "23505");
            EXPECT_TRUE(insert(again, 4));
            try {
                static_cast<void>(again.savepoint([&](Transaction& third) -> Result<int> {
                    EXPECT_TRUE(insert(third, 5));
                    throw std::runtime_error("thrown inside");
                }));
                ADD_FAILURE() << "nothing was thrown";
            } catch (const std::runtime_error& thrown) {
                EXPECT_STREQ(thrown.what(), "thrown inside");
            }
            return 0;
        });
        EXPECT_TRUE(outer);
        EXPECT_TRUE(insert(transaction, 6));
        return 0;
    });
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(all(name), "1,2,4,6");
}

TEST_F(Run, ASavepointWithoutStatementsCostsNothing) {
    const std::string name = table("id int");
    Client client = open();
    const auto done = client.run([&](Transaction& transaction) -> Result<int> {
        for (int number = 0; number < 100; ++number) {
            EXPECT_TRUE(transaction.savepoint(
                [&](Transaction& again) -> Result<int> { return again.savepoint([](Transaction&) -> Result<int> { return 1; }); }));
        }
        if (auto rows = transaction.execute("INSERT INTO " + name + " VALUES (1)"); !rows) return rows.error();
        return 0;
    });
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(all(name), "1");
}

/// Savepoints as deep as asked, one statement in each; the innermost fails or not, and each level keeps its work or undoes it.
Result<int> descend(Transaction& transaction, const std::string& table, int depth, bool fail) {
    if (depth == 0) {
        if (!fail) return 0;
        auto rows = transaction.execute("SELECT 1/0");
        return rows.error();
    }
    return transaction.savepoint([&](Transaction& inner) -> Result<int> {
        if (auto rows = inner.execute("INSERT INTO " + table + " VALUES ($1)", depth); !rows) return rows.error();
        return descend(inner, table, depth - 1, fail);
    });
}

TEST_F(Run, DeepSavepoints) {
    const std::string name = table("id int");
    Client client = open();
    for (const bool fail : {false, true}) {
        admin_.ask("TRUNCATE " + name);
        const auto done = client.run([&](Transaction& transaction) -> Result<int> {
            const auto deep = descend(transaction, name, 30, fail);
            EXPECT_EQ(deep.has_value(), !fail);
            if (auto rows = transaction.execute("INSERT INTO " + name + " VALUES (100)"); !rows) return rows.error();
            return 0;
        });
        ASSERT_TRUE(done) << done.error().message();
        EXPECT_EQ(admin_.number("SELECT count(*) FROM " + name), fail ? 1 : 31);
        EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
    }
}

TEST_F(Run, SavepointsBeforeTheFirstStatement) {
    const std::string name = table("id int");
    Client client = open(1);
    static const Statement kInsert{"SELECT $1"};
    ASSERT_TRUE(client.execute(kInsert, "as text"));
    const auto done = client.run({.deadline = in(5s)}, [&](Transaction& transaction) -> Result<int> {
        const std::function<Result<int>(Transaction&, int)> deeper = [&](Transaction& inner, int depth) -> Result<int> {
            if (depth == 0) {
                if (auto rows = inner.execute(kInsert, 5); !rows) return rows.error();
                return 0;
            }
            return inner.savepoint([&](Transaction& next) { return deeper(next, depth - 1); });
        };
        return deeper(transaction, 6);
    });
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(shown(client.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%current_xact_id%'")), "1");
}

TEST_F(Run, ASwallowedFailureGivesTheServersError) {
    const std::string name = table("id int");
    Client client = open();
    const auto done = client.run([&](Transaction& transaction) -> Result<int> {
        EXPECT_TRUE(transaction.execute("INSERT INTO " + name + " VALUES (1)"));
        EXPECT_FALSE(transaction.execute("SELECT 1/0"));
        const auto later = transaction.execute("SELECT 1");
        EXPECT_FALSE(later);
        EXPECT_EQ(later.error().sqlstate(), "25P02");
        EXPECT_NE(later.error().message().find("division by zero"), std::string::npos);
        return 5;
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().sqlstate(), "22012");
    EXPECT_EQ(done.error().outcome(), Outcome::failed);
    EXPECT_EQ(all(name), "");
}

TEST_F(Run, AFailureThatACommitBringsIsTold) {
    const std::string name = table("id int, UNIQUE (id) DEFERRABLE INITIALLY DEFERRED");
    Client client = open();
    const auto done = client.run(
        [&](Transaction& transaction) -> Result<Rows> { return transaction.execute("INSERT INTO " + name + " VALUES (1), (1)"); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().sqlstate(), "23505");
    EXPECT_EQ(done.error().outcome(), Outcome::failed);
    EXPECT_EQ(client.figures().unknown_commits, 0U);
}

TEST_F(Run, ABodyThatEndsItsTransactionItselfIsTold) {
    const std::string name = table("id int");
    Client client = open(1);
    for (const std::string& end : std::vector<std::string>{"ROLLBACK", "COMMIT"}) {
        const auto done = client.run([&](Transaction& transaction) -> Result<int> {
            EXPECT_TRUE(transaction.execute("INSERT INTO " + name + " VALUES (1)"));
            EXPECT_FALSE(transaction.execute(end));
            EXPECT_FALSE(transaction.execute("INSERT INTO " + name + " VALUES (2)")) << "it would run outside any transaction";
            return 5;
        });
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().cause(), Cause::usage);
        EXPECT_EQ(done.error().outcome(), end == "COMMIT" ? Outcome::succeeded : Outcome::failed);
        EXPECT_EQ(all(name), end == "COMMIT" ? "1" : "");
        EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
    }
}

TEST_F(Run, TheServersOwnTimeoutComesWithTheFirstStatement) {
    Client client = open(1);
    const auto left = client.run({.deadline = in(5s)}, [](Transaction& transaction) -> Result<Rows> {
        return transaction.execute("SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'");
    });
    ASSERT_TRUE(left) << left.error().message();
    EXPECT_GT(left->one<int>().value(), 4000);
    EXPECT_LE(left->one<int>().value(), 5000);
    EXPECT_EQ(shown(client.execute("SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'")), "0");
}

TEST_F(Run, DeadlineInsideTheBody) {
    const std::string name = table("id int");
    Client client = open(1);
    ASSERT_TRUE(await_monitor(client));
    const Stopwatch watch;
    const auto done = client.run({.deadline = in(100ms)}, [&](Transaction& transaction) -> Result<Rows> {
        EXPECT_TRUE(transaction.execute("INSERT INTO " + name + " VALUES (1)"));
        return transaction.execute("SELECT pg_sleep(30)");
    });
    EXPECT_LT(watch.taken(), 500ms);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().outcome(), Outcome::failed);
    EXPECT_EQ(shown(client.execute({.deadline = in(2s)}, "SELECT 1")), "1");
    EXPECT_EQ(all(name), "");
}

TEST_F(Run, ADeadlineThatPassedInTheBodySendsNoCommit) {
    const std::string name = table("id int");
    Client client = open(1);
    ASSERT_TRUE(client.execute("SELECT 1"));
    const auto done = client.run({.deadline = in(200ms)}, [&](Transaction& transaction) -> Result<int> {
        EXPECT_TRUE(transaction.execute("INSERT INTO " + name + " VALUES (1)"));
        EXPECT_TRUE(eventually([&] { return std::chrono::steady_clock::now() > transaction.deadline(); }));
        return 1;
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().cause(), Cause::timed_out);
    EXPECT_EQ(done.error().outcome(), Outcome::failed);
    EXPECT_EQ(shown(client.execute("SELECT 1")), "1");
    EXPECT_EQ(all(name), "");
    EXPECT_EQ(client.figures().unknown_commits, 0U);
}

TEST_F(Run, RefusedLocksAndTakenKeysAreRepeatedWhenAsked) {
    Client client = open();
    for (const char* code : {"55P03", "23505", "23P01"}) {
        for (const bool asked : {false, true}) {
            int runs = 0;
            const auto done = client.run({.tries = 3, .retry_refused_locks = asked, .retry_taken_keys = asked},
                                         [&](Transaction& transaction) -> Result<Rows> {
                                             ++runs;
                                             return transaction.execute(std::string("DO $$ BEGIN RAISE SQLSTATE '") + code + "'; END $$");
                                         });
            EXPECT_FALSE(done);
            EXPECT_EQ(runs, asked ? 3 : 1) << code;
        }
    }
}

}  // namespace
}  // namespace howdah::tests
