#include "client/expendable.hpp"

#include <csignal>
#include <exception>
#include <thread>
#include <utility>

namespace howdah::inline v0 {

bool run_expendable(std::function<void()> work) noexcept {
    // The new thread inherits the mask, so that the host program's signals never land on it.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    if (::pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
    bool started = true;
    try {
        std::thread(std::move(work)).detach();
    } catch (const std::exception&) {
        started = false;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

}  // namespace howdah::inline v0
