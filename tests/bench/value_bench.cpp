#include <benchmark/benchmark.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <string>
#include <utility>

#include "client/values/answer.hpp"
#include "howdah/parameters.hpp"
#include "howdah/rows.hpp"

namespace howdah {
namespace {

/// A row of four columns in text form, as libpq holds it.
Rows one_row() {
    PGresult* result = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
    std::array<PGresAttDesc, 4> attributes{};
    constexpr std::array<std::pair<const char*, std::uint32_t>, 4> kColumns{
        {{"id", type::kInt8}, {"name", type::kText}, {"at", type::kTimestamptz}, {"price", type::kNumeric}}};
    constexpr std::array<const char*, 4> kValues{"1234567", "a name of some length", "2024-02-29 12:34:56.789012+00", "12345.67"};
    for (std::size_t at = 0; at < attributes.size(); ++at) {
        attributes[at].name = const_cast<char*>(kColumns[at].first);
        attributes[at].typid = kColumns[at].second;
    }
    PQsetResultAttrs(result, static_cast<int>(attributes.size()), attributes.data());
    for (std::size_t at = 0; at < kValues.size(); ++at)
        PQsetvalue(result, 0, static_cast<int>(at), const_cast<char*>(kValues[at]), static_cast<int>(std::string_view(kValues[at]).size()));
    return rows_of(result);
}

void encode_number_and_text(benchmark::State& state) {
    const std::string text = "a name of some length";
    std::int64_t number = 0;
    for (auto _ : state) {
        const Parameters parameters(++number, text);
        benchmark::DoNotOptimize(parameters.values());
    }
}
BENCHMARK(encode_number_and_text);

/// What a program over raw libpq does for the same two: the number as text.
void encode_by_hand(benchmark::State& state) {
    const std::string text = "a name of some length";
    std::int64_t number = 0;
    for (auto _ : state) {
        std::array<char, 24> digits;
        *std::to_chars(digits.data(), digits.data() + digits.size(), ++number).ptr = '\0';
        const std::array<const char*, 2> values{digits.data(), text.c_str()};
        benchmark::DoNotOptimize(values.data());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(encode_by_hand);

template <typename T, int kColumn>
void decode_column(benchmark::State& state) {
    const Rows rows = one_row();
    for (auto _ : state) {
        auto value = rows[0].get<T>(std::size_t{kColumn});
        benchmark::DoNotOptimize(value);
    }
}
BENCHMARK(decode_column<std::int64_t, 0>);
BENCHMARK(decode_column<std::string_view, 1>);
BENCHMARK(decode_column<Timestamp, 2>);
BENCHMARK(decode_column<Numeric, 3>);

void decode_number_by_hand(benchmark::State& state) {
    PGresult* result = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
    PGresAttDesc attribute{};
    attribute.name = const_cast<char*>("id");
    PQsetResultAttrs(result, 1, &attribute);
    PQsetvalue(result, 0, 0, const_cast<char*>("1234567"), 7);
    for (auto _ : state) {
        const bool null = PQgetisnull(result, 0, 0) != 0;
        const std::int64_t value = null ? 0 : std::strtoll(PQgetvalue(result, 0, 0), nullptr, 10);
        benchmark::DoNotOptimize(value);
    }
    PQclear(result);
}
BENCHMARK(decode_number_by_hand);

}  // namespace
}  // namespace howdah
