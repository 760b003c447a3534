// A bounded pool shared by threads, and deadlines that hold: for the queue, the dial and the statement together.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "common.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    howdah::ClientOptions options = options_of(argc, argv);
    options.endpoint.pool.max_connections = 2;  // the server never sees more, whatever happens
    options.endpoint.pool.max_waiters = 50;
    options.endpoint.borrow_time = 5s;
    auto client = must(howdah::Client::open(std::move(options)));

    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&client, &done] {
            for (int n = 0; n < 25; ++n) {
                if (client.execute("SELECT $1::int", n)) ++done;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::printf("%d calls over at most %u connections\n", done.load(), client.figures().pool.open());

    // A statement that takes too long is cancelled in the server; the connection is proven clean before anybody gets it again.
    howdah::CallOptions call{.tag = "slow report"};
    call.deadline = std::chrono::steady_clock::now() + 200ms;
    const auto began = std::chrono::steady_clock::now();
    const auto slow = client.execute(call, "SELECT pg_sleep(30)");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (slow || slow.error().cause() != howdah::Cause::timed_out) return 1;
    std::printf("gave up after %.1f s: %s\n", seconds, slow.error().message().c_str());

    const howdah::CloseReport report = client.close(2s);
    std::printf("closed: %u dropped\n", report.dropped);
}
