#pragma once

#include <cstdint>
#include <future>
#include <string>

#include "base/cancellation.hpp"
#include "sample/workload.hpp"

namespace howdah::drill {

/// The marketplace's workload beside the main line: runs in threads of its own from construction to stop() or destruction.
class Load {
public:
    Load(const std::string& conninfo, std::uint32_t seed);
    ~Load() { stop_.request(); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    sample::WorkloadResult stop();

private:
    base::Cancellation stop_;
    std::future<sample::WorkloadResult> result_;
};

}  // namespace howdah::drill
