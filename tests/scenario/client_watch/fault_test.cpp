#include "scenario/client_watch/desk.hpp"

// Faults as a service's own tests inject them: what they do on a real server, and what the library makes of them.
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;
using howdah::testing::Fault;
using howdah::testing::Faults;
using At = Fault::At;
using Kind = Fault::Kind;

class InjectedFaults : public WatchTest {
protected:
    InjectedFaults() {
        ask("DROP TABLE IF EXISTS fault");
        ask("CREATE TABLE fault (id int)");
    }
    ~InjectedFaults() override { ask("DROP TABLE fault"); }

    Client open_with_faults() {
        ClientOptions chosen = options();
        chosen.faults = faults_;
        Client client = open(std::move(chosen));
        EXPECT_TRUE(eventually([&] { return client.figures().pings > 0; }));
        return client;
    }
    std::string rows() { return ask("SELECT count(*)::text FROM fault"); }
    static Result<int> insert(Transaction& transaction) {
        if (auto done = transaction.execute("INSERT INTO fault VALUES (1)"); !done) return done.error();
        return 1;
    }

    std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
};

TEST_F(InjectedFaults, DialsFailAndThenWork) {
    Client client = open_with_faults();
    faults_->fail_dials(2, Error(Phase::connect, Cause::broken, {"the cable is out", {}, {}, {}}));
    EXPECT_TRUE(client.execute("SELECT 1"));
    EXPECT_EQ(faults_->happened(), 2U);
    EXPECT_EQ(client.figures().dials_failed, 2U);
    EXPECT_TRUE(heard_->said(LogKind::dial, "the cable is out")) << heard_->all();
}

TEST_F(InjectedFaults, ACutBeforeTheStatementLeavesNothing) {
    Client client = open_with_faults();
    faults_->add({.at = At::statement, .kind = Kind::cut_before_sending});
    const auto done = client.execute("INSERT INTO fault VALUES (1)");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().cause(), Cause::broken);
    // Nobody on this side can know that the server never saw it.
    EXPECT_EQ(done.error().outcome(), Outcome::unknown);
    EXPECT_EQ(rows(), "0");
    faults_->add({.at = At::statement, .kind = Kind::cut_before_sending});
    EXPECT_TRUE(client.execute(CallOptions{.repeatable = true}, "SELECT 1"));
    EXPECT_EQ(client.figures().sessions_lost, 2U);
    EXPECT_EQ(client.figures().retries[static_cast<std::size_t>(Retry::reconnect)], 1U);
}

TEST_F(InjectedFaults, TheAnswerToAStatementIsLostWhenItIsDone) {
    Client client = open_with_faults();
    faults_->add({.at = At::statement, .kind = Kind::lose_answer, .skip = 1});
    ASSERT_TRUE(client.execute("INSERT INTO fault VALUES (1)"));
    const auto done = client.execute("INSERT INTO fault VALUES (2)");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().outcome(), Outcome::unknown);
    EXPECT_EQ(rows(), "2");
}

TEST_F(InjectedFaults, ALostStatementOfATransactionRunsTheBodyAgain) {
    Client client = open_with_faults();
    faults_->add({.at = At::statement, .kind = Kind::lose_answer});
    const auto done = client.run(insert);
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(rows(), "1");
}

TEST_F(InjectedFaults, ALostAnswerToCommitIsFoundOut) {
    Client client = open_with_faults();
    faults_->add({.at = At::commit, .kind = Kind::lose_answer});
    const auto done = client.run(insert);
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(rows(), "1");
    EXPECT_EQ(client.figures().unknown_commits, 1U);
    EXPECT_EQ(client.figures().resolved_commits, 1U);
    EXPECT_TRUE(heard_->said(LogKind::commit, "it is committed")) << heard_->all();
}

TEST_F(InjectedFaults, ALostAnswerToCommitWithoutMeansIsUnknown) {
    Client client = open_with_faults();
    faults_->add({.at = At::commit, .kind = Kind::lose_answer});
    const auto done = client.run({.tag = "order", .resolve = false}, insert);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().outcome(), Outcome::unknown);
    EXPECT_EQ(rows(), "1");
    EXPECT_TRUE(heard_->said(LogKind::commit, "nothing could be found out (order)")) << heard_->all();
}

TEST_F(InjectedFaults, ACutBeforeCommitIsFoundOutAndDoneAgain) {
    Client client = open_with_faults();
    faults_->add({.at = At::commit, .kind = Kind::cut_before_sending});
    const auto done = client.run(insert);
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(rows(), "1");
}

TEST_F(InjectedFaults, RefusalsRunTheBodyAgainWhenTheCodeAllowsIt) {
    Client client = open_with_faults();
    for (const At at : {At::statement, At::commit}) {
        faults_->add({.at = at, .kind = Kind::refuse, .times = 2, .code = SqlState("40001")});
        const auto done = client.run(insert);
        EXPECT_TRUE(done) << done.error().message();
    }
    EXPECT_EQ(rows(), "2");
    EXPECT_EQ(faults_->happened(), 4U);
    EXPECT_EQ(client.figures().retries_contention, 4U);
    faults_->add({.at = At::statement, .kind = Kind::refuse, .code = SqlState("23514")});
    const auto refused = client.run(insert);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sqlstate(), "23514");
    EXPECT_EQ(rows(), "2");
    EXPECT_EQ(client.figures().sessions_lost, 0U);
}

TEST_F(InjectedFaults, ASavepointUndoesARefusal) {
    Client client = open_with_faults();
    faults_->add({.at = At::statement, .kind = Kind::refuse, .skip = 1, .code = SqlState("23505")});
    const auto done = client.run([](Transaction& transaction) -> Result<int> {
        if (auto first = insert(transaction); !first) return first.error();
        const auto second = transaction.savepoint([](Transaction& inner) { return insert(inner); });
        EXPECT_FALSE(second);
        return 1;
    });
    EXPECT_TRUE(done) << done.error().message();
    EXPECT_EQ(rows(), "1");
}

TEST_F(InjectedFaults, ADelayedAnswerMeetsTheDeadline) {
    Client client = open_with_faults();
    faults_->add({.at = At::statement, .kind = Kind::delay_answer, .times = 2, .delay = 150ms});
    const Moment begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(client.execute("SELECT 1"));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 150ms);
    const auto late = client.execute(CallOptions{.deadline = std::chrono::steady_clock::now() + 50ms}, "SELECT 1");
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().cause(), Cause::timed_out);
    // The session is read to its end in the background and serves again.
    EXPECT_TRUE(eventually([&] { return client.figures().drained == 1; }));
}

TEST_F(InjectedFaults, NothingHappensAfterClear) {
    Client client = open_with_faults();
    faults_->add({.at = At::statement, .kind = Kind::refuse, .times = 100, .code = SqlState("40001")});
    faults_->fail_dials(100, Error(Phase::connect, Cause::broken, {"no", {}, {}, {}}));
    faults_->clear();
    EXPECT_TRUE(client.run(insert));
    EXPECT_EQ(faults_->happened(), 0U);
}

}  // namespace
}  // namespace howdah::tests
