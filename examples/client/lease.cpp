// A lease: one session for what must stay on one session, such as advisory locks. What it leaves behind is reset before the next user.
#include <chrono>

#include "common.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    auto client = must(howdah::Client::open(options_of(argc, argv)));
    constexpr std::int64_t kJob = 4711;
    const auto held = [&client] {
        return must(must(client.execute("SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711")).one<int>());
    };
    {
        howdah::CallOptions call{.tag = "nightly job"};
        call.deadline = std::chrono::steady_clock::now() + 10s;
        howdah::Lease lease = must(client.borrow(call));
        if (!must(must(lease.execute("SELECT pg_try_advisory_lock($1)", kJob)).one<bool>())) return 1;
        lease.mark_dirty();  // no command tag tells of the lock
        std::printf("locked: %d\n", held());
        must(lease.execute("SET application_name = 'changed'"));
        // For what the library has not: libpq's own functions, with <libpq-fe.h> and -lpq.
        if (lease.native_handle() == nullptr) return 1;
    }
    // Back in the pool, reset in the background.
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (held() != 0 && std::chrono::steady_clock::now() < until) static_cast<void>(client.execute("SELECT pg_sleep(0.01)"));
    std::printf("locked: %d\n", held());
}
