#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "postgres/crc32c.hpp"
#include "postgres/wal_reader.hpp"

namespace {

using namespace howdah;

/// Walks the WAL segment that HOWDAH_BENCH_WAL names.
void walk(benchmark::State& state) {
    const char* path = std::getenv("HOWDAH_BENCH_WAL");
    if (!path) return state.SkipWithError("set HOWDAH_BENCH_WAL to a WAL segment");
    const std::string segment = base::read_file(path, {1u << 30});
    std::size_t records = 0;
    for (auto step : state) {
        const auto facts = postgres::walk_segment(base::as_bytes(segment));
        records = facts.records;
        benchmark::DoNotOptimize(records);
    }
    state.counters["records"] = static_cast<double>(records);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(segment.size()));
}

void crc(benchmark::State& state, std::uint32_t (*kernel)(std::uint32_t, std::span<const std::byte>)) {
    const std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)), std::byte{0x5A});
    for (auto step : state) benchmark::DoNotOptimize(kernel(postgres::kCrc32cStart, bytes));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(walk);
BENCHMARK_CAPTURE(crc, table, postgres::crc32c_extend_table)->Arg(100)->Arg(8192);
BENCHMARK_CAPTURE(crc, instruction, postgres::crc32c_extend_instruction)->Arg(100)->Arg(8192);

}  // namespace
