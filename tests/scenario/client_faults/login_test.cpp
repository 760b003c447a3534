// Logins that the server granted and the client never heard the end of: what they leave on the server.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "ground.hpp"

namespace howdah::tests {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kConnections = 2;

class LoginsGivenUp : public ::testing::Test {
protected:
    LoginsGivenUp()
        : server_(ledger_server()),
          proxy_(proxy_before(*server_, test_seed())),
          client_(open_client(app_conninfo(*proxy_), kConnections,
                              [](ClientOptions& options) {
                                  options.endpoint.pool.dial_time = milliseconds(200);
                                  options.endpoint.pool.dial_backoff.cap = milliseconds(100);
                                  options.breaker.mode = BreakerMode::disabled;
                              })),
          sampler_(server_->conninfo()),
          crowd_(client_, {.callers = 4, .call_time = milliseconds(300), .kinds = {Kind::plain}}) {}

    bool work_goes_on() {
        const std::uint64_t before = crowd_.done();
        return eventually([&] { return crowd_.done() >= before + 20; });
    }
    /// Breaks all links, or those of the pool alone, and lets logins fail until there were so many of them.
    void fail_logins(std::uint64_t wanted, bool monitors_too) {
        ASSERT_TRUE(work_goes_on());
        ASSERT_TRUE(eventually([&] { return client_.figures().pings > 0; }));
        proxy_->deafen_logins(true);
        if (monitors_too) {
            proxy_->drop();
        } else {
            end_pool_sessions();
        }
        const std::uint64_t before = client_.figures().dials_failed;
        EXPECT_TRUE(eventually([&] { return client_.figures().dials_failed >= before + wanted; }));
        proxy_->deafen_logins(false);
        EXPECT_TRUE(work_goes_on());
        crowd_.finish();
    }
    void end_pool_sessions() {
        postgres::Session(server_->conninfo())
            .query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND application_name <> 'howdah monitor'");
    }
    std::int64_t sessions() {
        return postgres::Session(server_->conninfo()).query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").integer(0, 0);
    }

    std::unique_ptr<postgres::ScratchServer> server_;
    std::unique_ptr<FaultProxy> proxy_;
    Client client_;
    Sampler sampler_;
    Crowd crowd_;
};

TEST_F(LoginsGivenUp, CountAsSessionsUntilTheMonitorHasEndedThem) {
    fail_logins(8, false);
    EXPECT_LE(sampler_.most_of_pool(), kConnections);
    EXPECT_LE(sampler_.most_monitors(), 1);
    fmt::print("RESULT {}: most sessions {} of {} in {} samples\n", ::testing::UnitTest::GetInstance()->current_test_info()->name(),
               sampler_.most_of_pool(), kConnections, sampler_.samples());
}

TEST_F(LoginsGivenUp, AreEndedByTheNextMonitorWhereThereWasNone) {
    fail_logins(kConnections, true);
    EXPECT_LE(sampler_.most_of_pool(), kConnections);
    EXPECT_TRUE(eventually([&] { return sessions() <= kConnections + 1; }));
    fmt::print("RESULT {}: most sessions {} of {} and {} monitors in {} samples\n",
               ::testing::UnitTest::GetInstance()->current_test_info()->name(), sampler_.most_of_pool(), kConnections,
               sampler_.most_monitors(), sampler_.samples());
}

}  // namespace
}  // namespace howdah::tests
