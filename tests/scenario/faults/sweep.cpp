#include "sweep.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

namespace howdah::tests {

namespace {

constexpr unsigned kMostFailures = 8;  ///< Points that fail before a sweep ends early.

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::uint64_t seed() {
    const auto given = environment("HOWDAH_TEST_SEED");
    return given.empty() ? 1 : std::strtoull(given.c_str(), nullptr, 10);
}

std::vector<Fault> all_faults(const std::vector<Call>& calls) {
    std::vector<Fault> faults;
    for (std::uint64_t number = 1; number <= calls.size(); ++number)
        for (const auto shape : shapes_of(calls[number - 1].kind)) faults.push_back({number, shape});
    return faults;
}

/// First and last of each kind and shape in turn while there is room, then even steps through the others from a seeded start.
std::vector<Fault> sample(const std::vector<Fault>& all, const std::vector<Call>& calls, unsigned wanted) {
    std::map<std::pair<CallKind, Shape>, std::pair<std::size_t, std::size_t>> ends;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto [entry, added] = ends.try_emplace({calls[all[i].call - 1].kind, all[i].shape}, i, i);
        if (!added) entry->second.second = i;
    }
    std::vector<std::size_t> preferred;
    for (const auto& [key, first_and_last] : ends) {
        preferred.push_back(first_and_last.first);
        preferred.push_back(first_and_last.second);
    }
    std::mt19937_64 random(seed());
    std::ranges::shuffle(preferred, random);
    std::set<std::size_t> chosen;
    for (const auto index : preferred)
        if (chosen.size() < wanted * 2 / 3) chosen.insert(index);
    const std::size_t left = std::min<std::size_t>(all.size(), wanted) - std::min<std::size_t>(chosen.size(), wanted);
    const std::size_t start = random() % all.size();
    for (std::size_t i = 0; i < left; ++i) chosen.insert((start + i * all.size() / std::max<std::size_t>(left, 1)) % all.size());
    std::vector<Fault> faults;
    for (const auto index : chosen) faults.push_back(all[index]);
    return faults;
}

std::vector<Fault> choose(const std::vector<Call>& calls, unsigned wanted) {
    const auto how = environment("HOWDAH_TEST_FAULTS");
    if (const auto one = parse_fault(how)) return {*one};
    const auto all = all_faults(calls);
    if (const auto number = std::strtoul(how.c_str(), nullptr, 10)) wanted = static_cast<unsigned>(number);
    if (how == "all" || all.size() <= wanted) return all;
    return sample(all, calls, wanted);
}

std::string kinds(const std::vector<Call>& calls) {
    std::map<CallKind, unsigned> counts;
    for (const auto& call : calls) ++counts[call.kind];
    std::string text;
    for (const auto& [kind, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, word(kind));
    return text;
}

unsigned failures() {
    const auto* result = testing::UnitTest::GetInstance()->current_test_info()->result();
    unsigned failed = 0;
    for (int i = 0; i < result->total_part_count(); ++i) failed += result->GetTestPartResult(i).failed();
    return failed;
}

}  // namespace

void sweep(const Sweep& sweep) {
    const auto began = std::chrono::steady_clock::now();
    const auto at = [&](const Fault& fault) {
        sweep.prepare();
        const Ended run = sweep.run(fault);
        SCOPED_TRACE(fmt::format("{}: {}, exit code {}\n{}{}", sweep.operation, run.where, run.exit_code, run.output.substr(0, 3000),
                                 run.errors.substr(0, 3000)));
        EXPECT_TRUE((run.exit_code >= 0 && run.exit_code <= 6) || run.exit_code == sweep.other_exit_code);
        sweep.judge(run);
        return run;
    };
    const Ended whole = at({});
    ASSERT_FALSE(testing::Test::HasFailure());
    ASSERT_FALSE(whole.calls.empty()) << sweep.operation << " made no call";
    const auto faults = choose(whole.calls, sweep.points);
    unsigned struck = 0, succeeded = 0, wrong = 0, done = 0;
    for (const auto& fault : faults) {
        const auto before = failures();
        const Ended run = at(fault);
        ++done;
        struck += run.struck;
        succeeded += run.struck && run.succeeded();
        wrong += failures() > before;
        if (wrong >= kMostFailures) break;
    }
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::cout << fmt::format(
                     "RESULT {}: {} calls ({}), {} of {} points, seed {}, {} struck, {} succeeded nevertheless, {} wrong, {:.1f} s\n",
                     sweep.operation, whole.calls.size(), kinds(whole.calls), done, all_faults(whole.calls).size(), seed(), struck,
                     succeeded, wrong, seconds)
              << std::flush;
    EXPECT_GT(struck, 0u);
}

}  // namespace howdah::tests
