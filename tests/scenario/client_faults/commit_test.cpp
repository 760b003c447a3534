// Connections cut and backends terminated before, inside and after COMMIT, judged by the ledger.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "ground.hpp"

namespace howdah::tests {
namespace {

constexpr std::uint32_t kConnections = 16;

const std::vector<Strike> kCuts{{Deed::cut, Place::before_commit},
                                {Deed::cut, Place::after_commit},
                                {Deed::cut, Place::before_answer},
                                {Deed::cut, Place::inside_answer},
                                {Deed::cut, Place::after_answer}};
const std::vector<Strike> kTerminations{
    {Deed::terminate, Place::before_commit}, {Deed::terminate, Place::after_commit}, {Deed::terminate, Place::before_answer}};

std::string text(const std::array<std::uint64_t, kPlaces>& counts) {
    return fmt::format("{} before COMMIT went out, {} inside it, {} before its answer, {} inside the answer, {} after it", counts[0],
                       counts[1], counts[2], counts[3], counts[4]);
}

class AroundCommit : public ::testing::Test {
protected:
    AroundCommit() : server_(ledger_server()), proxy_(proxy_before(*server_, test_seed())) {}

    /// Lets a crowd work until the proxy has done as much as asked, and judges.
    void harm(const std::function<std::uint64_t(const FaultProxy::Counts&)>& harm_done, std::uint64_t wanted) {
        auto client = open_client(app_conninfo(*proxy_), kConnections);
        Sampler sampler(server_->conninfo());
        Crowd crowd(client, {.callers = callers()});
        const bool reached = eventually([&] { return harm_done(proxy_->counts()) >= wanted; }, std::chrono::minutes(30));
        proxy_->calm();
        crowd.finish();
        const auto counts = proxy_->counts();
        const auto figures = client.figures();
        EXPECT_TRUE(reached) << "harm done: " << harm_done(counts);
        const Judgement judgement = judge(server_->conninfo(), crowd.notes());
        EXPECT_TRUE(judgement.right()) << judgement.text();
        EXPECT_LE(sampler.most(), kConnections + 1) << sampler.most_of_pool() << " of the pool, " << sampler.most_monitors() << " monitors";
        fmt::print("RESULT {}: {} commits seen, cuts: {} (and {} at random bytes), pg_terminate_backend: {}\n", test_info_->name(),
                   counts.commits, text(counts.cuts), counts.cut_anywhere, text(counts.terminations));
        fmt::print("RESULT {}: {}\n", test_info_->name(), judgement.text());
        fmt::print("RESULT {}: {} commits unknown, {} of them resolved; most sessions {} of {} + 1 in {} samples ({} monitors)\n",
                   test_info_->name(), figures.unknown_commits, figures.resolved_commits, sampler.most(), kConnections, sampler.samples(),
                   sampler.most_monitors());
    }

    const ::testing::TestInfo* const test_info_ = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::uint64_t wanted_ = count_from("HOWDAH_TEST_CUTS", 100);
    std::unique_ptr<postgres::ScratchServer> server_;
    std::unique_ptr<FaultProxy> proxy_;
};

TEST_F(AroundCommit, CutsLoseAndDoubleNothing) {
    proxy_->strike_commits(0.5, kCuts);
    harm([](const auto& counts) { return counts.all_cuts(); }, wanted_);
}

TEST_F(AroundCommit, TerminationsLoseAndDoubleNothing) {
    proxy_->strike_commits(0.5, kTerminations);
    harm([](const auto& counts) { return counts.all_terminations(); }, wanted_);
}

TEST_F(AroundCommit, CutsAtRandomBytesLoseAndDoubleNothing) {
    proxy_->cut_anywhere(1, 20'000);
    harm([](const auto& counts) { return counts.cut_anywhere; }, wanted_ / 5);
}

}  // namespace
}  // namespace howdah::tests
