// The health monitor: alerts with hold times and clear levels, and all figures in one struct.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "common.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    howdah::ClientOptions options = options_of(argc, argv);
    howdah::MonitorOptions monitor;
    monitor.interval = 100ms;
    // Every server answers more slowly than this; a service keeps the rule's own 0.1 s.
    for (howdah::AlertRule& rule : monitor.rules) {
        if (rule.name != "ping_latency") continue;
        rule.threshold = 1e-7;
        rule.clear_level = 1e-8;
        rule.hold = 0s;
    }
    options.monitor = monitor;

    std::mutex mutex;
    std::condition_variable came;
    bool alerted = false;
    options.observer.on_alert = [&](std::string_view, const howdah::Alert& alert) {
        const std::lock_guard lock(mutex);
        std::printf("%s: %s\n", std::string(name(alert.severity)).c_str(), alert.message.c_str());
        alerted = alerted || alert.rule == "ping_latency";
        came.notify_one();
    };
    options.observer.on_span = [&mutex](std::string_view, const howdah::Span& span) {
        const std::lock_guard lock(mutex);
        std::printf("%.*s: %s in %u tries\n", static_cast<int>(span.tag.size()), span.tag.data(), span.error == nullptr ? "done" : "failed",
                    span.tries);
    };
    auto client = must(howdah::Client::open(std::move(options)));
    must(client.execute({.tag = "greeting"}, "SELECT 1"));
    {
        std::unique_lock lock(mutex);
        if (!came.wait_for(lock, 10s, [&] { return alerted; })) return 1;
    }
    const howdah::ClientFigures figures = client.figures();
    std::printf("breaker %s; %u open, %u in use, %u waiting; %llu pings, the last %.6f s; %llu calls\n",
                std::string(name(figures.breaker_state)).c_str(), figures.pool.open(), figures.pool.busy, figures.pool.waiting,
                static_cast<unsigned long long>(figures.pings), figures.last_ping_seconds,
                static_cast<unsigned long long>(figures.call.count));
}
