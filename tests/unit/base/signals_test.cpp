#include "base/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>

namespace howdah::base {
namespace {

using namespace std::chrono_literals;

/// Runs the work in a child and gives its wait status; signals would end the test itself. The child answers to signals as a program
/// started from a terminal does, however the tests were started (nohup ignores SIGHUP, a job in the background SIGINT).
int in_child(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

TEST(Signals, TheFirstOneCancels) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        const int status = in_child([signal] {
            Cancellation cancellation;
            const SignalScope scope(cancellation);
            if (SignalScope::received() != 0 || cancellation.requested()) return 1;
            ::raise(signal);
            return cancellation.sleep(10s) || SignalScope::received() != signal ? 2 : 0;
        });
        EXPECT_EQ(status, 0) << "signal " << signal;
    }
}

TEST(Signals, ASecondOneEndsTheProcessAtOnce) {
    const int status = in_child([] {
        Cancellation cancellation;
        const SignalScope scope(cancellation);
        ::raise(SIGINT);
        ::raise(SIGTERM);
        return 0;
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(Signals, TheProgramCanDieByItAfterwards) {
    const int status = in_child([] {
        Cancellation cancellation;
        {
            const SignalScope scope(cancellation);
            ::raise(SIGTERM);
            cancellation.sleep(10s);
        }
        ::raise(SignalScope::received());
        return 0;
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(Signals, IgnoredOnesStayIgnored) {
    const int status = in_child([] {
        ::signal(SIGHUP, SIG_IGN);
        Cancellation cancellation;
        const SignalScope scope(cancellation);
        ::raise(SIGHUP);
        return SignalScope::received() == 0 && !cancellation.requested() ? 0 : 1;
    });
    EXPECT_EQ(status, 0);
}

TEST(Signals, ABrokenPipeIsAnErrorAndNotTheEnd) {
    const int status = in_child([] {
        Cancellation cancellation;
        const SignalScope scope(cancellation);
        int ends[2];
        if (::pipe(ends) != 0) return 1;
        ::close(ends[0]);
        return ::write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
    });
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace howdah::base
