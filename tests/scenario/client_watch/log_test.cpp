#include <stdexcept>

#include "scenario/client_watch/desk.hpp"

// What is worth a line in the service's log.
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Log : public WatchTest {};

TEST_F(Log, TellsThatDialsFailAndThatTheyWorkAgainAndNotEachTime) {
    ClientOptions chosen = options();
    chosen.endpoint.conninfo += " password=geheim";
    chosen.breaker.mode = BreakerMode::disabled;
    Client client = open(std::move(chosen));
    ASSERT_TRUE(client.execute("SELECT 1"));
    server().stop("immediate");
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(client.execute(CallOptions{.deadline = std::chrono::steady_clock::now() + 100ms}, "SELECT 1"));
        return heard_->said(LogKind::dial, "dialling failed") && client.figures().dials_failed > 5;
    })) << heard_->all();
    EXPECT_LT(heard_->lines(LogKind::dial).size(), client.figures().dials_failed) << heard_->all();
    server().start();
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(client.execute(CallOptions{.deadline = std::chrono::steady_clock::now() + 1s}, "SELECT 1"));
        return heard_->said(LogKind::dial, "dialling works again");
    })) << heard_->all();
    EXPECT_TRUE(heard_->said(LogKind::session, "")) << heard_->all();
    EXPECT_EQ(heard_->all().find("geheim"), std::string::npos);
    std::uint64_t told = 0;
    for (const LogLine& line : heard_->lines(LogKind::dial)) told += 1 + line.left_out;
    EXPECT_GE(told, client.figures().dials_failed);
}

TEST_F(Log, TellsOfSessionsThatBreakAndOfTheBreaker) {
    Client client = open(options());
    const auto broken = client.execute("SELECT pg_terminate_backend(pg_backend_pid())");
    EXPECT_FALSE(broken);
    EXPECT_TRUE(heard_->said(LogKind::session, "a session of the pool was lost: ")) << heard_->all();
    EXPECT_EQ(client.figures().sessions_lost, 1U);
    client.set_breaker_mode(BreakerMode::forced_open);
    EXPECT_TRUE(heard_->said(LogKind::breaker, "from closed to forced_open: mode_set")) << heard_->all();
    EXPECT_EQ(heard_->lines(LogKind::breaker).at(0).severity, Severity::critical);
}

TEST_F(Log, AnObserverThatThrowsIsCounted) {
    ClientOptions chosen = options();
    chosen.observer.on_log = [](std::string_view, const LogLine&) { throw std::runtime_error("full disk"); };
    Client client = open(std::move(chosen));
    client.set_breaker_mode(BreakerMode::observe);
    EXPECT_GT(client.figures().callback_failures, 0U);
}

TEST_F(Log, LinesHeldBackAreToldWhenTheSecondIsOver) {
    Client client = open(options());
    client.set_breaker_mode(BreakerMode::observe);
    client.set_breaker_mode(BreakerMode::disabled);
    client.set_breaker_mode(BreakerMode::forced_closed);
    EXPECT_EQ(heard_->lines(LogKind::breaker).size(), 1U) << heard_->all();
    EXPECT_TRUE(eventually([&] { return heard_->said(LogKind::breaker, "to forced_closed"); })) << heard_->all();
    ASSERT_EQ(heard_->lines(LogKind::breaker).size(), 2U);
    EXPECT_EQ(heard_->lines(LogKind::breaker)[1].left_out, 1U);
}

}  // namespace
}  // namespace howdah::tests
