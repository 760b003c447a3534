#include "simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace howdah {
namespace {

constexpr std::uint64_t kUsual = 10'000;
constexpr std::uint64_t kWithin = 20'000;

std::uint64_t wanted_schedules() {
    const char* wish = std::getenv("HOWDAH_TEST_SCHEDULES");
    return wish == nullptr ? kUsual : std::strtoull(wish, nullptr, 10);
}

/// All seeds from 1 to count, shared out to the processors.
simulation::Result simulate_all(std::uint64_t count) {
    const std::uint64_t shares = std::max(1U, std::thread::hardware_concurrency());
    std::vector<simulation::Result> results(shares);
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t share = 0; share < shares; ++share) {
            const std::uint64_t first = count * share / shares;
            threads.emplace_back([&, share, first] { results[share] = simulate(1 + first, count * (share + 1) / shares - first); });
        }
    }
    simulation::Result all;
    for (const auto& result : results) {
        all.schedules += result.schedules;
        all.events += result.events;
        all.opened += result.opened;
        all.closed += result.closed;
        all.served += result.served;
        all.refused += result.refused;
        all.rejected += result.rejected;
        if (all.broken != nullptr || result.broken == nullptr) continue;
        all.broken = result.broken;
        all.seed = result.seed;
        all.event = result.event;
    }
    return all;
}

TEST(Simulation, EveryScheduleKeepsEveryInvariant) {
    const std::uint64_t count = wanted_schedules();
    const auto start = std::chrono::steady_clock::now();
    const auto result = simulate_all(count);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(result.broken, nullptr) << result.broken << ": seed " << result.seed << ", event " << result.event;
    std::printf(
        "RESULT simulation: %llu schedules, %llu events, %.0f schedules/s; breaker opened %llu times, ended closed %llu times, "
        "%llu calls rejected; pool served %llu, refused %llu\n",
        static_cast<unsigned long long>(result.schedules), static_cast<unsigned long long>(result.events),
        static_cast<double>(result.schedules) / took.count(), static_cast<unsigned long long>(result.opened),
        static_cast<unsigned long long>(result.closed), static_cast<unsigned long long>(result.rejected),
        static_cast<unsigned long long>(result.served), static_cast<unsigned long long>(result.refused));
    // A simulation in which nothing happens proves nothing.
    EXPECT_GT(result.opened, count / 2);
    EXPECT_GT(result.rejected, count);
    EXPECT_GT(result.served, count * 10);
    EXPECT_GT(result.refused, count);
}

TEST(Simulation, EqualSeedsGiveEqualRuns) {
    const auto one = simulate(77, 50);
    const auto two = simulate(77, 50);
    EXPECT_EQ(one.served, two.served);
    EXPECT_EQ(one.opened, two.opened);
    EXPECT_EQ(one.refused, two.refused);
}

TEST(Simulation, FindsEveryPlantedBug) {
    std::set<std::string> names;
    for (const auto* planted = simulation::Planted::list(); planted != nullptr; planted = planted->next) {
        names.insert(planted->name);
        const auto result = planted->simulate(1, kWithin);
        EXPECT_NE(result.broken, nullptr) << planted->name << " was not found in " << result.schedules << " schedules";
        if (result.broken == nullptr) continue;
        std::printf("RESULT planted %s: found in schedule %llu, event %u: %s\n", planted->name,
                    static_cast<unsigned long long>(result.schedules), result.event, result.broken);
    }
    EXPECT_EQ(names.size(), 10U);
}

}  // namespace
}  // namespace howdah
