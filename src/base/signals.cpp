#include "base/signals.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <thread>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::base {

namespace {

constexpr std::array kStopping = {SIGINT, SIGTERM, SIGHUP};

// What a signal handler can reach is static by nature; both are lock-free.
std::atomic<int> first_signal{0};
std::atomic<int> wake_descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free);

/// Async-signal-safe: request_stop is not, so a thread does it when woken.
extern "C" void on_stopping_signal(int signal) {
    const int saved_errno = errno;
    int none = 0;
    if (first_signal.compare_exchange_strong(none, signal)) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(wake_descriptor, &one, sizeof one);
    } else {
        ::signal(signal, SIG_DFL);
        ::raise(signal);
    }
    errno = saved_errno;
}

}  // namespace

struct SignalScope::State {
    struct sigaction before_pipe{};
    std::array<struct sigaction, kStopping.size()> before{};
    File wake;
    std::thread listener;
};

SignalScope::SignalScope(Cancellation& cancellation) : state_(std::make_unique<State>()) {
    state_->wake = File(::eventfd(0, EFD_CLOEXEC));
    if (!state_->wake.is_open()) throw SystemFailure(FailureKind::operation, "cannot make an event for signals", errno);
    first_signal = 0;
    wake_descriptor = state_->wake.descriptor();
    state_->listener = std::thread([cancellation, wake = state_->wake.descriptor()]() mutable {
        eventfd_t count = 0;
        while (::eventfd_read(wake, &count) != 0 && errno == EINTR) {
        }
        if (first_signal != 0) cancellation.request();
    });

    struct sigaction action{};
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, &state_->before_pipe);
    action.sa_handler = on_stopping_signal;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kStopping.size(); ++i) {
        ::sigaction(kStopping[i], nullptr, &state_->before[i]);
        // nohup and shells that start a background job ignore signals on purpose.
        if (state_->before[i].sa_handler != SIG_IGN) ::sigaction(kStopping[i], &action, nullptr);
    }
}

SignalScope::~SignalScope() {
    for (std::size_t i = 0; i < kStopping.size(); ++i) ::sigaction(kStopping[i], &state_->before[i], nullptr);
    ::sigaction(SIGPIPE, &state_->before_pipe, nullptr);
    ::eventfd_write(state_->wake.descriptor(), 1);
    state_->listener.join();
    wake_descriptor = -1;
}

int SignalScope::received() { return first_signal; }

}  // namespace howdah::base
