// How soon callers are served again when links fall silent in one direction, with the library's own patience.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "ground.hpp"

namespace howdah::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::uint32_t kConnections = 4;

class HalfOpenLinks : public ::testing::TestWithParam<Way> {
protected:
    HalfOpenLinks()
        : server_(ledger_server()),
          proxy_(proxy_before(*server_, test_seed())),
          client_(open_client(app_conninfo(*proxy_), kConnections,
                              [](ClientOptions& options) { options.breaker.mode = BreakerMode::disabled; })),
          sampler_(server_->conninfo()),
          crowd_(client_, {.callers = 8, .call_time = milliseconds(300)}) {}

    /// Whether calls go well again within that time of the fault.
    void expect_work_within(Duration limit, const std::function<void()>& fault) {
        ASSERT_TRUE(eventually([&] { return crowd_.done() >= 50 && client_.figures().pings > 0; }));
        fault();
        const auto begun = steady_clock::now();
        // What was on its way may still come through.
        const std::uint64_t before = crowd_.done();
        EXPECT_TRUE(eventually([&] { return crowd_.done() >= before + 50; }));
        const Duration taken = steady_clock::now() - begun;
        EXPECT_LE(taken, limit);
        crowd_.finish();
        const Judgement judgement = judge(server_->conninfo(), crowd_.notes());
        EXPECT_TRUE(judgement.right()) << judgement.text();
        EXPECT_LE(sampler_.most_of_pool(), kConnections);
        fmt::print("RESULT {}: served again after {:.2f} s; most sessions {} of {} and {} monitors\n",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name(), std::chrono::duration<double>(taken).count(),
                   sampler_.most_of_pool(), kConnections, sampler_.most_monitors());
    }

    std::unique_ptr<postgres::ScratchServer> server_;
    std::unique_ptr<FaultProxy> proxy_;
    Client client_;
    Sampler sampler_;
    Crowd crowd_;
};

// Without a look at what the backends do they would be drained for 10 s and then waited for 2 s.
TEST_P(HalfOpenLinks, OfThePoolAreReplacedSoon) {
    expect_work_within(seconds(4), [this] { proxy_->half_open_but(GetParam(), "howdah monitor"); });
}

TEST_P(HalfOpenLinks, OfAllAreReplacedWhenTheMonitorIs) {
    expect_work_within(seconds(8), [this] { proxy_->half_open(GetParam()); });
}

INSTANTIATE_TEST_SUITE_P(BothWays, HalfOpenLinks, ::testing::Values(Way::to_server, Way::to_client),
                         [](const auto& each) { return std::string(each.param == Way::to_server ? "ToServer" : "ToClient"); });

}  // namespace
}  // namespace howdah::tests
