// A circuit breaker before a server that does not answer, and the budget that bounds what retries add to its load.
#include <chrono>
#include <mutex>

#include "common.hpp"

using namespace std::chrono_literals;

int main() {
    howdah::ClientOptions options;
    // Nothing listens on port 1.
    options.endpoint = must(howdah::read_url("host=127.0.0.1 port=1 dbname=postgres"));
    options.endpoint.borrow_time = 500ms;
    options.monitor.reset();
    options.breaker.dial_failures = 3;  // in a row; a sole primary's breaker opens for nothing else
    options.breaker.open_least = 30s;
    options.breaker.guard_share = 1;      // no return to observe by itself in this short run
    options.failure_budget.cap = 10'000;  // ten retries saved up at most
    options.bulkhead = 100;               // calls at once, waiting ones included

    std::mutex mutex;
    options.observer.on_breaker = [&mutex](std::string_view endpoint, const howdah::BreakerTransition& change) {
        const std::lock_guard lock(mutex);
        std::printf("%.*s: %s -> %s (%s)\n", static_cast<int>(endpoint.size()), endpoint.data(), std::string(name(change.from)).c_str(),
                    std::string(name(change.to)).c_str(), std::string(name(change.reason)).c_str());
    };
    options.observer.on_retry = [&mutex](std::string_view, const howdah::RetryEvent& event) {
        const std::lock_guard lock(mutex);
        std::printf("%s: %.*s\n", event.repeated ? "retry" : "no retry", static_cast<int>(event.reason.size()), event.reason.data());
    };
    auto client = must(howdah::Client::open(std::move(options)));

    for (int i = 0; i < 20 && client.figures().breaker_state != howdah::BreakerState::open; ++i)
        static_cast<void>(client.execute("SELECT 1"));

    // Rejected at once, without a dial, a queue or a lock.
    const auto began = std::chrono::steady_clock::now();
    const auto rejected = client.execute("SELECT 1");
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
    if (rejected || rejected.error().phase() != howdah::Phase::borrow) return 1;
    std::printf("rejected in %.0f ms: %s\n", ms, rejected.error().message().c_str());

    // Observe counts what it would have rejected; forced_open, forced_closed and disabled are the operator's.
    client.set_breaker_mode(howdah::BreakerMode::observe);
    static_cast<void>(client.execute("SELECT 1"));
    const howdah::ClientFigures figures = client.figures();
    std::printf("state %s, opened %llu times, budget left %.1f retries\n", std::string(name(figures.breaker_state)).c_str(),
                static_cast<unsigned long long>(figures.breaker.opened), static_cast<double>(figures.failure_budget_left) / 1000);
    client.reset_breaker();
}
