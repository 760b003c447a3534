#include "killing.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <regex>
#include <set>
#include <thread>

#include "base/cancellation.hpp"
#include "base/failure.hpp"
#include "base/file.hpp"
#include "support/programs.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

constexpr const char* kGarbageFile = "gc.cpp";
constexpr int kAttempts = 10;

std::vector<std::string> points_in(const std::function<bool(const fs::path& file, const std::string& name)>& wanted) {
    const std::regex call("base::fault_point\\(\"([a-z_.]+)\"\\)");
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(source_folder() / "src")) {
        if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
        const std::string text = base::read_file(entry.path(), {10u << 20});
        for (std::sregex_iterator match(text.begin(), text.end(), call); match != std::sregex_iterator(); ++match)
            if (wanted(entry.path(), (*match)[1])) found.insert((*match)[1]);
    }
    return {found.begin(), found.end()};
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// How long the run took when it ended before the moment; none when it was killed at it.
std::optional<double> run_until(ProtectedServer& protectee, const std::vector<std::string>& words, double moment) {
    base::Cancellation kill, ended;
    std::jthread killer([&] {
        if (ended.sleep(std::chrono::nanoseconds(static_cast<std::int64_t>(moment * 1e9)))) kill.request();
    });
    const auto start = Clock::now();
    try {
        const auto result = protectee.howdah(words, {}, kill);
        ended.request();
        EXPECT_EQ(result.exit_code, 0) << result.errors;
        return seconds_since(start);
    } catch (const base::Cancelled&) {
        return std::nullopt;
    }
}

}  // namespace

std::vector<std::string> fault_points(const std::vector<std::string>& prefixes) {
    return points_in([&](const fs::path& file, const std::string& name) {
        return file.filename() != kGarbageFile &&
               std::ranges::any_of(prefixes, [&](const std::string& prefix) { return name.starts_with(prefix); });
    });
}

std::vector<std::string> garbage_fault_points() {
    return points_in([](const fs::path& file, const std::string&) { return file.filename() == kGarbageFile; });
}

void print_points(const std::string& operation, const std::vector<std::string>& points) {
    std::cout << fmt::format("{} fault points of {}:\n", points.size(), operation);
    for (const auto& point : points) std::cout << "    " << point << "\n";
    std::cout << std::flush;
}

bool killed_at(ProtectedServer& protectee, const std::string& point, const std::vector<std::string>& words) {
    const auto result = protectee.howdah(words, {{"HOWDAH_FAULT", point}});
    if (result.exit_code == 128 + SIGKILL) return true;
    EXPECT_EQ(result.exit_code, 0) << point << ": " << result.errors;
    return false;
}

unsigned moment_count() {
    const char* wanted = std::getenv("HOWDAH_TEST_MOMENTS");
    return wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 3;
}

void kill_at_moments(ProtectedServer& protectee, const Moments& moments) {
    const unsigned count = moment_count();
    ASSERT_GE(count, 1u) << "HOWDAH_TEST_MOMENTS";
    const auto warm = moments.prepare();
    const auto start = Clock::now();
    ASSERT_EQ(protectee.howdah(warm).exit_code, 0);
    double measured = seconds_since(start);
    const double first = measured;
    moments.judge("not killed");
    unsigned killed = 0;
    for (unsigned i = 0; i < count && !testing::Test::HasFailure(); ++i) {
        for (int attempt = 0; attempt < kAttempts && killed == i; ++attempt) {
            const auto words = moments.prepare();
            const double moment = measured * (2 * i + 1) / (2.0 * count);
            const auto ended = run_until(protectee, words, moment);
            if (ended)
                measured = *ended;
            else
                ++killed;
            moments.judge(fmt::format("{} {} at {:.3f} s of {:.3f} s", moments.operation, ended ? "ended" : "killed", moment, measured));
        }
        EXPECT_EQ(killed, i + 1) << moments.operation << " ended before each kill";
    }
    std::cout << fmt::format("RESULT {}: a run takes {:.2f} s; killed at {} of {} moments, {}\n", moments.operation, first, killed, count,
                             testing::Test::HasFailure() ? "FAILED" : "every re-run right")
              << std::flush;
}

void wait_until(const std::string& what, const std::function<bool()>& holds) {
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    while (!holds()) {
        ASSERT_LT(Clock::now(), deadline) << what;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace howdah::tests
