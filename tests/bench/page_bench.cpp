#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "postgres/page.hpp"
#include "postgres/page_kernels.hpp"

namespace {

using namespace howdah::postgres;

std::vector<std::byte> random_pages(std::size_t count) {
    std::mt19937_64 random(1);
    std::vector<std::byte> pages(count * kBlockSize);
    for (std::byte& byte : pages) byte = static_cast<std::byte>(random());
    return pages;
}

/// Pages per second of a kernel; the argument is how many pages the buffer has: 16 lie in the L2 cache, 16384 (128 MiB) in memory.
void hash(benchmark::State& state, PageKernel kernel) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const auto pages = random_pages(count);
    std::vector<std::uint32_t> hashes(count);
    for (auto step : state) {
        kernel(pages.data(), hashes);
        benchmark::DoNotOptimize(hashes.data());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(kBlockSize));
}

void check(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const auto pages = random_pages(count);
    std::vector<BadPage> bad;
    for (auto step : state) {
        bad.clear();
        check_pages(pages, 0, bad);
        benchmark::DoNotOptimize(bad.data());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(kBlockSize));
}

BENCHMARK_CAPTURE(hash, portable, hash_pages_portable)->Arg(16)->Arg(16384);
BENCHMARK_CAPTURE(hash, avx2, hash_pages_avx2)->Arg(16)->Arg(16384);
BENCHMARK(check)->Arg(32);

}  // namespace
