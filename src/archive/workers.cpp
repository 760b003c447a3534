#include "archive/workers.hpp"

#include <algorithm>
#include <thread>

#include "base/workers.hpp"

namespace howdah::archive {

unsigned worker_count(unsigned jobs, std::size_t tasks, std::uint64_t segment_size) {
    constexpr std::uint64_t kMemory = 512u << 20;
    const std::uint64_t wanted = jobs ? jobs : std::max(1U, std::thread::hardware_concurrency());
    const std::uint64_t fitting = std::max<std::uint64_t>(1, kMemory / std::max<std::uint64_t>(1, segment_size));
    return static_cast<unsigned>(std::max<std::uint64_t>(1, std::min({wanted, fitting, static_cast<std::uint64_t>(tasks)})));
}

void run_workers(unsigned count, const std::function<void()>& work) { base::run_workers(count, work); }

}  // namespace howdah::archive
