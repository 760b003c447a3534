// Links that are slow, silent, one-sided, noisy or gone, judged by the ledger.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <thread>

#include "ground.hpp"

namespace howdah::tests {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kConnections = 16;
/// After the issue; the machine's share is not counted.
constexpr milliseconds kGrace{50};
constexpr milliseconds kCallTime{600};

class LinksUnderACrowd : public ::testing::Test {
protected:
    LinksUnderACrowd()
        : server_(ledger_server()),
          proxy_(proxy_before(*server_, test_seed())),
          client_(open_client(app_conninfo(*proxy_), kConnections,
                              [](ClientOptions& options) {
                                  options.endpoint.pool.dial_time = milliseconds(2000);
                                  options.endpoint.pool.drain_time = milliseconds(2000);
                              })),
          sampler_(server_->conninfo()),
          crowd_(client_, {.callers = callers(), .call_time = kCallTime}) {}

    bool work_goes_on(std::uint64_t more = 20) {
        const std::uint64_t before = crowd_.done();
        return eventually([&] { return crowd_.done() >= before + more; });
    }

    /// Whether every session that was given up has gone, and the monitor is there.
    bool settled() {
        const ClientFigures figures = client_.figures();
        const bool monitored = figures.pings > pings_;
        if (figures.pool.draining + figures.pool.closing > 0) pings_ = figures.pings;
        return figures.pool.draining + figures.pool.closing == 0 && monitored;
    }

    void judge_all() {
        crowd_.finish();
        const Judgement judgement = judge(server_->conninfo(), crowd_.notes());
        EXPECT_TRUE(judgement.right()) << judgement.text();
        EXPECT_LE(crowd_.own_overrun(), kGrace) << crowd_.lateness();
        // A monitor whose link is silent is replaced before its server side is gone: its successor ends it.
        EXPECT_LE(sampler_.most_of_pool(), kConnections);
        const char* const name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        fmt::print("RESULT {}: {}\n", name, judgement.text());
        fmt::print("RESULT {}: {}; most sessions {} of {} and {} monitors in {} samples\n", name, crowd_.lateness(),
                   sampler_.most_of_pool(), kConnections, sampler_.most_monitors(), sampler_.samples());
    }

    const std::uint64_t rounds_ = count_from("HOWDAH_TEST_ROUNDS", 1);
    std::unique_ptr<postgres::ScratchServer> server_;
    std::unique_ptr<FaultProxy> proxy_;
    std::uint64_t pings_ = 0;
    Client client_;
    Sampler sampler_;
    Crowd crowd_;
};

TEST_F(LinksUnderACrowd, Delayed) {
    ASSERT_TRUE(work_goes_on());
    proxy_->delay(milliseconds(5));
    EXPECT_TRUE(work_goes_on());
    proxy_->calm();
    judge_all();
}

TEST_F(LinksUnderACrowd, Dropped) {
    for (std::uint64_t i = 0; i < 5 * rounds_; ++i) {
        ASSERT_TRUE(work_goes_on());
        proxy_->drop();
    }
    EXPECT_TRUE(work_goes_on());
    EXPECT_GT(proxy_->counts().dropped, 0U);
    judge_all();
}

TEST_F(LinksUnderACrowd, Stalled) {
    for (std::uint64_t i = 0; i < rounds_; ++i) {
        ASSERT_TRUE(work_goes_on());
        proxy_->stall();
        std::this_thread::sleep_for(2 * kCallTime);
        proxy_->resume();
    }
    EXPECT_TRUE(work_goes_on());
    judge_all();
}

TEST_F(LinksUnderACrowd, HalfOpenToTheServer) {
    for (std::uint64_t i = 0; i < rounds_; ++i) {
        ASSERT_TRUE(work_goes_on());
        proxy_->half_open(Way::to_server);
        EXPECT_TRUE(work_goes_on());
        EXPECT_TRUE(eventually([&] { return settled(); }));
    }
    EXPECT_GT(proxy_->counts().swallowed, 0U);
    judge_all();
}

TEST_F(LinksUnderACrowd, HalfOpenToTheClient) {
    for (std::uint64_t i = 0; i < rounds_; ++i) {
        ASSERT_TRUE(work_goes_on());
        proxy_->half_open(Way::to_client);
        EXPECT_TRUE(work_goes_on());
        EXPECT_TRUE(eventually([&] { return settled(); }));
    }
    EXPECT_GT(proxy_->counts().swallowed, 0U);
    judge_all();
}

TEST_F(LinksUnderACrowd, Garbled) {
    for (std::uint64_t i = 0; i < 3 * rounds_; ++i) {
        ASSERT_TRUE(work_goes_on());
        proxy_->garble(i % 2 == 0 ? Way::to_client : Way::to_server);
    }
    EXPECT_TRUE(work_goes_on());
    EXPECT_GT(proxy_->counts().garbled, 0U);
    judge_all();
}

TEST_F(LinksUnderACrowd, Refused) {
    ASSERT_TRUE(work_goes_on());
    proxy_->refuse(true);
    proxy_->drop();
    std::this_thread::sleep_for(2 * kCallTime);
    proxy_->refuse(false);
    EXPECT_TRUE(work_goes_on());
    judge_all();
}

}  // namespace
}  // namespace howdah::tests
