#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "sample/latency.hpp"
#include "sample/statement.hpp"

namespace howdah::sample {

enum class Mix { all, reads, writes };

struct WorkloadOptions {
    std::size_t connections = 2;
    std::uint32_t seed = 1;  ///< Same seed and data: each connection sends the same statements in the same order.
    Mix mix = Mix::all;
    std::optional<std::chrono::milliseconds> duration;  ///< None: until the cancellation is requested.
    std::optional<std::uint64_t> statements;            ///< Ends after that many on each connection, if sooner.
    double rate = 0;                                    ///< Statements a second over all connections; 0: as fast as they go.
};

/// What one statement did. Latencies are of those that succeeded.
struct StatementFigures {
    std::string name;
    bool writes = false;
    std::uint64_t errors = 0;
    Latencies latencies;
};

struct WorkloadResult {
    std::vector<StatementFigures> statements;  ///< Those of the mix, by name; never called ones too.
    Latencies all;
    std::uint64_t errors = 0;
    std::uint64_t writes = 0;  ///< Succeeded statements that write.
    std::uint64_t reconnects = 0;
    std::string first_error;  ///< Empty when there were none.
    std::chrono::milliseconds took{};
};

/// Runs the marketplace's statements, chosen by weight, on so many connections. A statement that fails is counted and the run goes on;
/// a lost connection is dialled again five times a second until the end. A requested cancellation ends the run in the normal way: each
/// connection finishes its statement and the figures are returned. Throws only when it cannot begin.
WorkloadResult run_workload(const std::string& conninfo, const WorkloadOptions& options, const base::Cancellation& cancellation);

}  // namespace howdah::sample
