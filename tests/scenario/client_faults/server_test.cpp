// The server killed, restarted and stopped under a crowd, judged by the ledger.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <random>
#include <thread>

#include "ground.hpp"

namespace howdah::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t kConnections = 16;
/// After the issue; the machine's share is not counted.
constexpr milliseconds kGrace{50};

/// Pieces of work that ended well after this call.
bool work_goes_on(const Crowd& crowd, std::uint64_t more = 20) {
    const std::uint64_t before = crowd.done();
    return eventually([&] { return crowd.done() >= before + more; });
}

class ServerUnderACrowd : public ::testing::Test {
protected:
    ServerUnderACrowd() : server_(ledger_server()) {}

    void judge_all(Crowd& crowd, const Sampler& sampler) {
        crowd.finish();
        const Judgement judgement = judge(server_->conninfo(), crowd.notes());
        EXPECT_TRUE(judgement.right()) << judgement.text();
        EXPECT_LE(sampler.most(), kConnections + 1) << sampler.most_of_pool() << " of the pool, " << sampler.most_monitors() << " monitors";
        const char* const name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        fmt::print("RESULT {}: {}\n", name, judgement.text());
        fmt::print("RESULT {}: most sessions {} of {} + 1 in {} samples; {}\n", name, sampler.most(), kConnections, sampler.samples(),
                   crowd.lateness());
    }

    std::unique_ptr<postgres::ScratchServer> server_;
};

TEST_F(ServerUnderACrowd, KilledAndRestarted) {
    const std::uint64_t kills = count_from("HOWDAH_TEST_KILLS", 2);
    std::mt19937_64 random(test_seed());
    auto client = open_client(app_conninfo(*server_), kConnections);
    Sampler sampler(server_->conninfo());
    Crowd crowd(client, {.callers = callers()});
    std::vector<double> back;
    for (std::uint64_t i = 0; i < kills; ++i) {
        ASSERT_TRUE(work_goes_on(crowd, 1 + random() % 100)) << "after " << i << " kills";
        server_->kill();
        server_->start();
        const auto up = steady_clock::now();
        ASSERT_TRUE(work_goes_on(crowd, 1));
        back.push_back(std::chrono::duration<double>(steady_clock::now() - up).count());
    }
    judge_all(crowd, sampler);
    std::ranges::sort(back);
    if (!back.empty())
        fmt::print("RESULT KilledAndRestarted: {} kill -9; first good work after {:.2f} s in the middle, {:.2f} s at most\n", kills,
                   back[back.size() / 2], back.back());
}

TEST_F(ServerUnderACrowd, RestartedFast) {
    auto client = open_client(app_conninfo(*server_), kConnections);
    Sampler sampler(server_->conninfo());
    Crowd crowd(client, {.callers = callers()});
    for (std::uint64_t i = 0; i < count_from("HOWDAH_TEST_RESTARTS", 1); ++i) {
        ASSERT_TRUE(work_goes_on(crowd));
        server_->restart();
    }
    ASSERT_TRUE(work_goes_on(crowd));
    judge_all(crowd, sampler);
}

TEST_F(ServerUnderACrowd, StoppedWholeDelaysNobody) {
    auto client = open_client(app_conninfo(*server_), kConnections);
    std::optional<Sampler> sampler(server_->conninfo());
    Crowd crowd(client, {.callers = callers(), .call_time = milliseconds(700)});
    ASSERT_TRUE(work_goes_on(crowd));
    const pid_t postmaster = postmaster_of(*server_);
    const auto children = children_of(postmaster);
    ::kill(postmaster, SIGSTOP);
    for (const pid_t child : children) ::kill(child, SIGSTOP);
    // Long enough for everybody's deadline, and for those of the next calls.
    std::this_thread::sleep_for(milliseconds(1800));
    for (const pid_t child : children) ::kill(child, SIGCONT);
    ::kill(postmaster, SIGCONT);
    ASSERT_TRUE(work_goes_on(crowd));
    judge_all(crowd, *sampler);
    EXPECT_LE(crowd.own_overrun(), kGrace) << crowd.lateness();
}

TEST_F(ServerUnderACrowd, StoppedPostmasterStopsNoSession) {
    auto client = open_client(app_conninfo(*server_), kConnections);
    Sampler sampler(server_->conninfo());
    Crowd crowd(client, {.callers = callers()});
    ASSERT_TRUE(work_goes_on(crowd, 100));
    const pid_t postmaster = postmaster_of(*server_);
    ::kill(postmaster, SIGSTOP);
    EXPECT_TRUE(work_goes_on(crowd, 100));
    ::kill(postmaster, SIGCONT);
    EXPECT_TRUE(work_goes_on(crowd));
    judge_all(crowd, sampler);
}

TEST_F(ServerUnderACrowd, StoppedBackendsDelayNobody) {
    auto client = open_client(app_conninfo(*server_), kConnections);
    Sampler sampler(server_->conninfo());
    Crowd crowd(client, {.callers = callers(), .call_time = milliseconds(700)});
    ASSERT_TRUE(work_goes_on(crowd));
    postgres::Session superuser(server_->conninfo());
    std::vector<pid_t> stopped;
    const auto rows = superuser.query("SELECT pid FROM pg_stat_activity WHERE usename = 'app' LIMIT 5");
    for (std::size_t i = 0; i < rows.size(); ++i) stopped.push_back(static_cast<pid_t>(rows.integer(i, 0)));
    for (const pid_t backend : stopped) ::kill(backend, SIGSTOP);
    std::this_thread::sleep_for(milliseconds(1500));
    for (const pid_t backend : stopped) ::kill(backend, SIGCONT);
    EXPECT_TRUE(work_goes_on(crowd));
    judge_all(crowd, sampler);
    EXPECT_LE(crowd.own_overrun(), kGrace) << crowd.lateness();
}

}  // namespace
}  // namespace howdah::tests
