// A small service with all of it: worker threads on one client with a pool, deadlines everywhere, payments under a key so that each is made
// once whatever happens to the server or to the service, breaker and alerts told to the log, and a page of metrics over HTTP.
//
//     payments FOLDER PORT [CONNECTION]
//
// FOLDER keeps the ledger (what was promised and what is known to be paid) and, if there is one, the file that sets the breaker's mode.
// PORT is where the metrics are; 0 takes a free one, told when the service is ready. SIGTERM ends the service: what is promised and not
// known to be paid is done first when it starts again.
#include <howdah/client.hpp>

#include <csignal>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "ledger.hpp"
#include "metrics_page.hpp"

using namespace std::chrono_literals;

namespace {

constexpr int kWorkers = 6;
std::atomic<bool> stopping = false;  // set by the signal, read by all threads

howdah::Moment in(howdah::Duration time) { return std::chrono::steady_clock::now() + time; }

/// What the client tells goes to standard error, a line each.
howdah::Observer log() {
    howdah::Observer observer;
    observer.on_breaker = [](std::string_view endpoint, const howdah::BreakerTransition& change) {
        std::fprintf(stderr, "breaker of %s: %s -> %s (%s)\n", std::string(endpoint).c_str(), std::string(name(change.from)).c_str(),
                     std::string(name(change.to)).c_str(), std::string(name(change.reason)).c_str());
    };
    observer.on_alert = [](std::string_view, const howdah::Alert& alert) {
        std::fprintf(stderr, "alert %s: %s: %s\n", alert.raised ? "raised" : "cleared", std::string(alert.rule).c_str(),
                     alert.message.c_str());
    };
    observer.on_log = [](std::string_view, const howdah::LogLine& line) {
        std::fprintf(stderr, "%s: %s\n", std::string(name(line.kind)).c_str(), line.what.c_str());
    };
    return observer;
}

/// Pays once. True when it is certain that the payment is made; otherwise ask again, with the same key.
bool pay(howdah::Client& client, const std::string& payment) {
    howdah::TransactionOptions options;
    options.tag = "pay";
    options.deadline = in(2s);
    options.key = payment;
    const auto done = client.run(options, [&](howdah::Transaction& transaction) -> howdah::Result<int> {
        auto taken = transaction.execute("UPDATE account SET balance = balance - 1 WHERE id = 1 + abs(hashtext($1)) % 50", payment);
        if (!taken) return taken.error();
        auto noted = transaction.execute("INSERT INTO payment (id) VALUES ($1)", payment);
        if (!noted) return noted.error();
        return 1;
    });
    return done || done.error().outcome() == howdah::Outcome::succeeded;
}

/// One thread of the service: pays what was promised before, then promises and pays, and reads in between.
void work(howdah::Client& client, Ledger& ledger, int worker, std::vector<std::string> owed) {
    for (int number = 0; !stopping; ++number) {
        if (owed.empty()) owed.push_back(ledger.promise(worker, number));
        if (pay(client, owed.back())) {
            ledger.paid(owed.back());
            owed.pop_back();
        } else {
            std::this_thread::sleep_for(20ms);  // nobody waits for this payment; a rejecting breaker answers in no time
        }
        howdah::CallOptions reading{.tag = "balance", .deadline = in(300ms), .repeatable = true};
        static_cast<void>(client.execute(reading, "SELECT balance FROM account WHERE id = $1", 1 + worker));
    }
}

/// Makes the tables; waits for a server that is not there yet.
bool prepare(howdah::Client& client) {
    const std::array<std::string, 4> statements{
        client.key_table_sql(), "CREATE TABLE IF NOT EXISTS account (id int PRIMARY KEY, balance bigint NOT NULL)",
        "CREATE TABLE IF NOT EXISTS payment (id text NOT NULL)",
        "INSERT INTO account SELECT number, 1000000 FROM generate_series(1, 50) number ON CONFLICT DO NOTHING"};
    for (const std::string& statement : statements) {
        while (true) {
            auto done = client.execute({.tag = "prepare", .deadline = in(5s), .repeatable = true}, statement);
            if (done) break;
            std::fprintf(stderr, "prepare: %s\n", done.error().message().c_str());
            // A code is the server's own word on the statement. All else passes: no server yet, or a breaker that is open for that reason.
            if (stopping || !done.error().sqlstate().empty()) return false;
            std::this_thread::sleep_for(200ms);
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return std::fprintf(stderr, "usage: payments FOLDER PORT [CONNECTION]\n"), 2;
    for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { stopping = true; });
    const std::string folder = argv[1];

    howdah::ClientOptions options;
    auto endpoint = howdah::read_url(argc > 3 ? argv[3] : "dbname=postgres");
    if (!endpoint) return std::fprintf(stderr, "%s\n", endpoint.error().message().c_str()), 2;
    options.endpoint = std::move(*endpoint);
    options.endpoint.pool.max_connections = 4;
    if (auto applied = howdah::apply_environment(options.endpoint, howdah::process_environment()); !applied)
        return std::fprintf(stderr, "%s\n", applied.error().message().c_str()), 2;
    options.name = "payments";
    options.breaker_mode_file = folder + "/breaker";
    options.observer = log();
    auto client = howdah::Client::open(std::move(options));
    if (!client) return std::fprintf(stderr, "%s\n", client.error().message().c_str()), 2;

    MetricsPage page(static_cast<std::uint16_t>(std::atoi(argv[2])), [&client] { return client->metrics(); });
    if (!prepare(*client)) return 1;
    Ledger ledger(folder + "/ledger");
    std::vector<std::vector<std::string>> owed(kWorkers);
    for (std::size_t i = 0; const std::string& payment : ledger.owed()) owed[i++ % kWorkers].push_back(payment);
    std::vector<std::thread> workers;
    for (int i = 0; i < kWorkers; ++i)
        workers.emplace_back(work, std::ref(*client), std::ref(ledger), i, owed[static_cast<std::size_t>(i)]);
    std::fprintf(stderr, "ready, metrics on port %d\n", page.port());
    for (std::thread& worker : workers) worker.join();

    const howdah::CloseReport report = client->close(5s);
    std::fprintf(stderr, "closed: %u idle closed, %u dropped\n", report.idle_closed, report.dropped);
}
