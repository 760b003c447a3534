// A backup killed below a parent that never reaps, as the first process of many containers: the next one is not locked out.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

template <typename Condition>
bool soon(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

TEST(Zombie, HoldsNoLock) {
    ProtectedServer server;
    const auto note = server.workspace() / "pid";
    const auto script = base::shell_quote({server.binary().string(), "--config", server.config_file().string(), "backup", "run"}) +
                        " & echo $! > " + note.string() + "; exec sleep 600";
    base::Cancellation end;
    std::thread parent([&] {
        base::ProcessOptions options;
        if (::geteuid() == 0) options.user = server.server().user();
        options.environment = {{"HOWDAH_FAULT", "backup.copied"}};
        options.working_directory = server.workspace();
        EXPECT_THROW(base::run_process({"sh", "-c", script}, options, end), base::Cancelled);
    });
    pid_t killed = 0;
    EXPECT_TRUE(soon([&] {
        killed = std::atoi(base::read_file_if_exists(note).value_or("0").c_str());
        return killed > 0;
    }));
    EXPECT_TRUE(soon([&] { return !base::process_start_ticks(killed); }));
    EXPECT_EQ(::kill(killed, 0), 0) << "it was reaped";
    expect_answer(server.howdah({"backup", "run"}), 0, {"is complete"});
    end.request();
    parent.join();
}

}  // namespace
}  // namespace howdah::tests
