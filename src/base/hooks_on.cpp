#include "base/hooks.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

namespace howdah::base {

namespace {

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? std::string_view(value) : std::string_view();
}

/// How often each point was passed so far, by all threads.
int passages(std::string_view name) {
    static std::mutex mutex;
    static std::map<std::string, int, std::less<>> counts;
    std::lock_guard lock(mutex);
    auto [entry, added] = counts.emplace(name, 0);
    return ++entry->second;
}

}  // namespace

void fault_point(std::string_view name) {
    const std::string_view wanted = environment("HOWDAH_FAULT");
    if (wanted.empty()) return;
    const auto mark = wanted.find('#');
    if (wanted.substr(0, mark) != name) return;
    const int passage = mark == std::string_view::npos ? 1 : std::atoi(wanted.data() + mark + 1);
    if (passages(name) == passage) ::kill(::getpid(), SIGKILL);
}

void pause_point(std::string_view name, std::string_view note) {
    const std::string_view wanted = environment("HOWDAH_TEST_PAUSE");
    const auto colon = wanted.find(':');
    if (colon == std::string_view::npos || wanted.substr(0, colon) != name) return;
    const std::string path(wanted.substr(colon + 1));
    {
        std::ofstream file(path + ".new");
        file << note;
    }
    std::rename((path + ".new").c_str(), path.c_str());
    while (::access(path.c_str(), F_OK) == 0) ::usleep(2000);
}

bool guard(std::string_view name) {
    std::string_view off = environment("HOWDAH_GUARDS_OFF");
    while (!off.empty()) {
        const auto comma = off.find(',');
        if (off.substr(0, comma) == name) return false;
        off = comma == std::string_view::npos ? std::string_view() : off.substr(comma + 1);
    }
    return true;
}

}  // namespace howdah::base
