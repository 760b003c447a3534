#include "base/workers.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <set>
#include <thread>

namespace howdah::base {
namespace {

constexpr int kNoLimit = 1 << 30;
std::atomic<int> threads_left = kNoLimit;

/// How many threads did the work when the host gives `allowed` new ones.
std::size_t threads_used(unsigned count, int allowed) {
    std::set<std::thread::id> used;
    std::mutex mutex;
    threads_left = allowed;
    run_workers(count, [&] {
        std::lock_guard lock(mutex);
        used.insert(std::this_thread::get_id());
    });
    threads_left = kNoLimit;
    return used.size();
}

TEST(Workers, AreAsManyAsAskedForWithTheCaller) {
    EXPECT_EQ(threads_used(1, kNoLimit), 1u);
    EXPECT_EQ(threads_used(4, kNoLimit), 4u);
}

TEST(Workers, AreThoseThatTheHostGives) {
    EXPECT_EQ(threads_used(4, 1), 2u);
    EXPECT_EQ(threads_used(4, 0), 1u);
}

}  // namespace
}  // namespace howdah::base

// The executable's own definition goes before the C library's: a limit of processes that only this test meets.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) noexcept {
    using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    if (howdah::base::threads_left-- <= 0) return EAGAIN;
    return reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, start, argument);
}
