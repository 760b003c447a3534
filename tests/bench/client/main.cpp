#include <libpq-fe.h>
#include <time.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bench/client/allocations.hpp"
#include "bench/client/contestant.hpp"
#include "howdah/client.hpp"

// bench_client CONNINFO NAME PAIRS CALLS all|one: libhowdah beside raw libpq, a bare pool and libpqxx, in interleaved ABBA pairs. One JSON object a
// line, a row of build/bench.json each. `one` is the comparison of one caller with raw libpq alone.
namespace {

using Clock = std::chrono::steady_clock;

struct Block {
    double per_second = 0;
    double median_us = 0;
    double p99_us = 0;
};

/// All callers at once, each so many calls; every call timed.
Block run(std::vector<std::unique_ptr<Caller>>& callers, int calls) {
    std::vector<std::vector<float>> taken(callers.size());
    std::barrier begin(static_cast<std::ptrdiff_t>(callers.size()) + 1);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < callers.size(); ++i) {
        taken[i].reserve(static_cast<std::size_t>(calls));
        threads.emplace_back([&, i] {
            std::uint32_t key = static_cast<std::uint32_t>(i) * 7919U + 1U;
            begin.arrive_and_wait();
            for (int call = 0; call < calls; ++call) {
                key = key * 1664525U + 1013904223U;
                const auto from = Clock::now();
                callers[i]->look_up(static_cast<std::int32_t>(key % kKeys));
                taken[i].push_back(std::chrono::duration<float, std::micro>(Clock::now() - from).count());
            }
        });
    }
    begin.arrive_and_wait();
    const auto from = Clock::now();
    for (auto& thread : threads) thread.join();
    const double seconds = std::chrono::duration<double>(Clock::now() - from).count();
    std::vector<float> all;
    for (const auto& part : taken) all.insert(all.end(), part.begin(), part.end());
    const auto at = [&](double share) {
        const auto place = all.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size() - 1));
        std::nth_element(all.begin(), place, all.end());
        return static_cast<double>(*place);
    };
    return {static_cast<double>(all.size()) / seconds, at(0.5), at(0.99)};
}

struct Interval {
    double median, low, high;
};

/// The median of the pairs and the 95 % interval of it, by order statistics (binomial, normal approximation).
Interval interval(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto n = static_cast<double>(values.size());
    const double reach = 0.98 * std::sqrt(n);
    const auto low = static_cast<std::size_t>(std::max(0.0, std::floor(n / 2 - reach)));
    const auto high = static_cast<std::size_t>(std::min(n - 1, std::ceil(n / 2 + reach)));
    return {values[values.size() / 2], values[low], values[high]};
}

void compare(const char* where, const char* peer, Contestant& ours, Contestant& theirs, unsigned threads, int pairs, int calls) {
    std::vector<std::unique_ptr<Caller>> our_callers;
    std::vector<std::unique_ptr<Caller>> their_callers;
    for (unsigned i = 0; i < threads; ++i) {
        our_callers.push_back(ours.caller());
        their_callers.push_back(theirs.caller());
    }
    run(our_callers, calls);
    run(their_callers, calls);
    std::vector<double> throughput, median, p99, their_p99;
    for (int pair = 0; pair < pairs; ++pair) {
        const Block a1 = run(our_callers, calls);
        const Block b1 = run(their_callers, calls);
        const Block b2 = run(their_callers, calls);
        const Block a2 = run(our_callers, calls);
        throughput.push_back((a1.per_second + a2.per_second) / (b1.per_second + b2.per_second));
        median.push_back((a1.median_us + a2.median_us - b1.median_us - b2.median_us) / 2);
        p99.push_back((a1.p99_us + a2.p99_us - b1.p99_us - b2.p99_us) / 2);
        their_p99.push_back((b1.p99_us + b2.p99_us) / 2);
    }
    const Interval t = interval(throughput);
    const Interval m = interval(median);
    const Interval p = interval(p99);
    const Interval q = interval(their_p99);
    std::printf(
        "{\"area\": \"client\", \"case\": \"throughput %s %u threads\", \"peer\": \"%s\", \"pairs\": %d, \"calls\": %d, "
        "\"ratio\": %.4f, \"ratio_low\": %.4f, \"ratio_high\": %.4f}\n",
        where, threads, peer, pairs, calls, t.median, t.low, t.high);
    std::printf(
        "{\"area\": \"client\", \"case\": \"latency %s %u threads\", \"peer\": \"%s\", \"pairs\": %d, \"calls\": %d, "
        "\"median_more_us\": %.3f, \"median_more_low_us\": %.3f, \"median_more_high_us\": %.3f, \"p99_more_us\": %.3f, "
        "\"p99_more_low_us\": %.3f, \"p99_more_high_us\": %.3f, \"peer_p99_us\": %.3f}\n",
        where, threads, peer, pairs, calls, m.median, m.low, m.high, p.median, p.low, p.high, q.median);
    std::fflush(stdout);
}

void allocations(const std::string& conninfo) {
    const auto per_call = [](Contestant& contestant) {
        const auto caller = contestant.caller();
        for (int i = 0; i < 1000; ++i) caller->look_up(i);
        const std::uint64_t before = allocations_of_this_thread();
        for (int i = 0; i < 10'000; ++i) caller->look_up(i);
        return static_cast<double>(allocations_of_this_thread() - before) / 10'000;
    };
    const auto raw = raw_libpq(conninfo);
    const auto ours = howdah_client(conninfo, 1);
    std::printf(
        "{\"area\": \"client\", \"case\": \"allocations per call\", \"peer\": \"raw libpq\", \"howdah\": %.4f, \"peer_value\": %.4f}\n",
        per_call(*ours), per_call(*raw));
}

void rejections(const std::string& conninfo) {
    howdah::ClientOptions options;
    options.endpoint.conninfo = conninfo;
    options.breaker.mode = howdah::BreakerMode::forced_open;
    options.monitor.reset();
    auto client = howdah::Client::open(options);
    if (!client) give_up(client.error().message());
    static const howdah::Statement statement(kLookUp);
    constexpr int kCalls = 200'000;
    std::vector<double> rounds;
    rounds.reserve(31);
    const std::uint64_t before = allocations_of_this_thread();
    std::uint64_t made = 0;
    for (int round = 0; round < 31; ++round) {
        const auto from = Clock::now();
        for (int i = 0; i < kCalls; ++i) {
            if (client->execute(statement, i)) give_up("a forced open breaker let a call pass");
        }
        rounds.push_back(std::chrono::duration<double, std::nano>(Clock::now() - from).count() / kCalls);
        made = allocations_of_this_thread() - before;
    }
    const Interval taken = interval(rounds);
    std::printf(
        "{\"area\": \"client\", \"case\": \"latency of a rejection\", \"peer\": \"none\", \"ns\": %.1f, \"ns_low\": %.1f, \"ns_high\": %.1f, "
        "\"allocations\": %llu}\n",
        taken.median, taken.low, taken.high, static_cast<unsigned long long>(made));
}

double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The whole client with its monitor against a loop that sends the same pings, per ping.
void monitor(const std::string& conninfo) {
    constexpr int kPings = 200;
    constexpr auto kBetween = std::chrono::milliseconds(20);
    std::vector<double> ratios;
    for (int round = 0; round < 5; ++round) {
        double ours = 0;
        double theirs = 0;
        {
            howdah::ClientOptions options;
            options.endpoint.conninfo = conninfo;
            options.monitor->interval = kBetween;
            options.monitor->figures_every = std::chrono::hours(1);
            auto client = howdah::Client::open(options);
            if (!client) give_up(client.error().message());
            while (client->figures().pings < 10) std::this_thread::sleep_for(kBetween);
            const std::uint64_t first = client->figures().pings;
            const double before = cpu_seconds();
            while (client->figures().pings < first + kPings) std::this_thread::sleep_for(kBetween * 10);
            ours = (cpu_seconds() - before) / static_cast<double>(client->figures().pings - first);
        }
        {
            PGconn* connection = PQconnectdb(conninfo.c_str());
            if (PQstatus(connection) != CONNECTION_OK) give_up(PQerrorMessage(connection));
            const double before = cpu_seconds();
            for (int i = 0; i < kPings; ++i) {
                PQclear(PQexecParams(connection, "SELECT 1", 0, nullptr, nullptr, nullptr, nullptr, 0));
                std::this_thread::sleep_for(kBetween);
            }
            theirs = (cpu_seconds() - before) / kPings;
            PQfinish(connection);
        }
        ratios.push_back(ours / theirs);
        std::fprintf(stderr, "monitor: %.1f us of CPU a ping, bare loop %.1f us\n", ours * 1e6, theirs * 1e6);
    }
    const Interval ratio = interval(ratios);
    std::printf(
        "{\"area\": \"client\", \"case\": \"monitor CPU per ping\", \"peer\": \"bare libpq loop\", \"ratio\": %.3f, \"ratio_low\": %.3f, "
        "\"ratio_high\": %.3f}\n",
        ratio.median, ratio.low, ratio.high);
}

}  // namespace

int main(int count, char** words) {
    if (count != 6) give_up("usage: bench_client CONNINFO NAME PAIRS CALLS all|one");
    const std::string conninfo = words[1];
    const char* const where = words[2];
    const int pairs = std::atoi(words[3]);
    const int calls = std::atoi(words[4]);
    if (std::strcmp(words[5], "one") == 0) {
        compare(where, "raw libpq", *howdah_client(conninfo, 1), *raw_libpq(conninfo), 1, pairs, calls);
        return 0;
    }
    const std::string pqxx = "libpqxx " + pqxx_version();
    {
        const auto ours = howdah_client(conninfo, 1);
        const auto raw = raw_libpq(conninfo);
        const auto other = pqxx_connection(conninfo);
        compare(where, "raw libpq", *ours, *raw, 1, pairs, calls);
        compare(where, pqxx.c_str(), *ours, *other, 1, pairs, calls);
    }
    {
        const auto ours = howdah_client(conninfo, 16);
        const auto pool = bare_pool(conninfo, 16);
        compare(where, "bare pool", *ours, *pool, 8, pairs, std::max(calls / 8, 1));
        compare(where, "bare pool", *ours, *pool, 32, pairs, std::max(calls / 32, 1));
    }
    if (std::strcmp(where, "unix") != 0) return 0;
    allocations(conninfo);
    rejections(conninfo);
    monitor(conninfo);
    return 0;
}
