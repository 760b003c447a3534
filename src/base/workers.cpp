#include "base/workers.hpp"

#include <system_error>
#include <thread>
#include <vector>

#include "base/log.hpp"

namespace howdah::base {

void run_workers(unsigned count, const std::function<void()>& work) {
    std::vector<std::jthread> threads;
    threads.reserve(count);
    try {
        while (threads.size() + 1 < count) threads.emplace_back(work);
    } catch (const std::system_error& error) {
        log_warning("only {} of {} threads could be started, this will take longer: {}", threads.size() + 1, count, error.what());
    }
    work();
}

}  // namespace howdah::base
