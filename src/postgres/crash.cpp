#include "postgres/crash.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/failure.hpp"

namespace howdah::postgres {

namespace {

namespace fs = std::filesystem;

/// Two fields of /proc/PID/stat (proc(5)).
struct ProcessState {
    char state = '?';
    pid_t parent = 0;
};

std::optional<ProcessState> state_of(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    // The name before it stands in parentheses and may hold anything.
    const std::size_t close = line.rfind(')');
    if (close == std::string::npos) return std::nullopt;
    ProcessState state;
    std::istringstream rest(line.substr(close + 1));
    rest >> state.state >> state.parent;
    return state;
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
        if (const auto state = state_of(pid); state && state->parent == parent) children.push_back(pid);
    }
    return children;
}

std::set<fs::path> shared_memory_of(pid_t pid) {
    std::set<fs::path> files;
    std::ifstream maps(fmt::format("/proc/{}/maps", pid));
    for (std::string line; std::getline(maps, line);) {
        if (const auto at = line.find("/dev/shm/PostgreSQL."); at != std::string::npos)
            files.insert(line.substr(at, line.find(' ', at) - at));
    }
    return files;
}

}  // namespace

bool process_runs(pid_t pid) {
    const auto state = state_of(pid);
    return state && state->state != 'Z' && state->state != 'X';
}

void remove_interlock(const fs::path& lock_file) {
    // Line 7 is the segment's key and id (miscinit.c's lock file).
    std::ifstream file(lock_file);
    std::string line;
    for (int number = 0; number < 7; ++number) {
        if (!std::getline(file, line)) return;
    }
    std::istringstream fields(line);
    unsigned long key = 0;
    int identifier = -1;
    if (fields >> key >> identifier) ::shmctl(identifier, IPC_RMID, nullptr);
}

void crash_postmaster(pid_t postmaster) {
    // Stopped first, so that it cannot start a child after they were counted.
    ::kill(postmaster, SIGSTOP);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    // The signal takes effect a moment after it was sent. A child forked until then would be missed, and keep the shared memory.
    while (process_runs(postmaster) && state_of(postmaster).value_or(ProcessState{}).state != 'T' &&
           std::chrono::steady_clock::now() < limit)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::vector<pid_t> processes = children_of(postmaster);
    auto shared_memory = shared_memory_of(postmaster);
    for (const pid_t child : processes) shared_memory.merge(shared_memory_of(child));
    processes.push_back(postmaster);
    for (const pid_t process : processes) ::kill(process, SIGKILL);

    while (std::any_of(processes.begin(), processes.end(), process_runs)) {
        if (std::chrono::steady_clock::now() > limit) {
            throw base::Failure(base::FailureKind::operation,
                                fmt::format("killing the server process {}: it still runs after 30 s", postmaster),
                                "look for a process that waits for a disk (state D in ps)");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    for (const auto& file : shared_memory) {
        std::error_code absent;
        fs::remove(file, absent);
    }
}

}  // namespace howdah::postgres
