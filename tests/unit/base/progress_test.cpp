#include "base/progress.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "base/log.hpp"

namespace howdah::base {
namespace {

using namespace std::chrono_literals;

TEST(ProgressText, SaysShareRateAndTimeLeft) {
    EXPECT_EQ(progress_text("copying", {412u << 20}, {1229u << 20}, {510u << 20}),
              "copying  412 MiB of 1.2 GiB  33 %  510 MiB/s  1.6 s left");
    EXPECT_EQ(progress_text("copying", {512}, {0}, {100}), "copying  512 B  100 B/s");
    EXPECT_EQ(progress_text("copying", {512}, {1024}, {0}), "copying  512 B of 1 KiB  50 %  0 B/s");
    EXPECT_EQ(progress_text("copying", {2048}, {1024}, {1024}), "copying  2 KiB of 1 KiB  100 %  1 KiB/s");
}

TEST(Progress, CountsFromAllThreads) {
    Progress progress("copying", {100}, false);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&progress] {
                for (int n = 0; n < 1000; ++n) progress.add({3});
            });
    }
    EXPECT_EQ(progress.done(), Bytes{12'000});
}

/// What a child with a terminal as standard error writes there, up to its end.
std::string on_terminal(bool allowed) {
    int terminal = -1;
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
        allow_progress(allowed);
        {
            Progress progress("copying", {1000}, true);
            progress.add({250});
            const auto deadline = std::chrono::steady_clock::now() + (allowed ? 15s : 0s);
            while (progress_eraser().empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
            log_info("between");
        }
        ::_exit(progress_eraser().empty() ? 0 : 1);
    }
    std::string seen;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(terminal, buffer, sizeof buffer)) > 0;) seen.append(buffer, static_cast<std::size_t>(got));
    ::close(terminal);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    return seen;
}

TEST(Progress, DrawsOnATerminalAndRemovesItsLine) {
    const std::string seen = on_terminal(true);
    EXPECT_NE(seen.find("\rcopying  250 B of 1000 B  25 %  "), std::string::npos) << seen;
    const auto between = seen.find("INFO between");
    ASSERT_NE(between, std::string::npos);
    EXPECT_NE(seen.rfind("\r\x1b[K", between), std::string::npos) << "the log's line starts behind the drawn one";
    EXPECT_TRUE(seen.ends_with("\r\x1b[K")) << seen;
}

TEST(Progress, DrawsNothingUnlessAllowed) {
    const std::string seen = on_terminal(false);
    EXPECT_EQ(seen.find("copying"), std::string::npos);
    EXPECT_EQ(seen.find("\x1b"), std::string::npos);
}

}  // namespace
}  // namespace howdah::base
