#include "sample/workload.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include "base/failure.hpp"
#include "postgres/session.hpp"
#include "sample/parameters.hpp"

namespace howdah::sample {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<Statement> chosen(Mix mix) {
    auto statements = workload_statements();
    if (mix != Mix::all) std::erase_if(statements, [mix](const Statement& statement) { return statement.writes != (mix == Mix::writes); });
    return statements;
}

postgres::Session connect(const std::string& conninfo) {
    postgres::SessionOptions options;
    options.application_name = "howdah sample run";
    postgres::Session session(conninfo, options);
    session.script("SET search_path = marketplace");
    return session;
}

std::vector<StatementFigures> blank(const std::vector<Statement>& statements) {
    std::vector<StatementFigures> figures;
    for (const auto& statement : statements) figures.push_back({statement.name, statement.writes, 0, {}});
    return figures;
}

/// One connection's run: its own random numbers, its own figures.
class Worker {
public:
    Worker(const std::string& conninfo, const WorkloadOptions& options, const std::vector<Statement>& statements,
           const ParameterSource& source, const base::Cancellation& cancellation, std::size_t number)
        : conninfo_(conninfo),
          options_(options),
          statements_(statements),
          source_(source),
          cancellation_(cancellation),
          random_(options.seed * 1'000'003ULL + number),
          number_(number),
          session_(connect(conninfo)),
          figures_(blank(statements)) {
        for (const auto& statement : statements) weights_ += statement.weight;
    }

    void run(Clock::time_point start);
    void add_to(WorkloadResult& result) const;

private:
    std::size_t choose();
    bool pace(Clock::time_point start, std::uint64_t sent);
    void call(std::size_t at);
    void note(std::size_t at, const base::Failure& failure);
    bool reconnect(Clock::time_point end);

    const std::string& conninfo_;
    const WorkloadOptions& options_;
    const std::vector<Statement>& statements_;
    const ParameterSource& source_;
    const base::Cancellation& cancellation_;
    std::mt19937_64 random_;
    std::size_t number_;
    postgres::Session session_;
    std::vector<StatementFigures> figures_;
    std::uint64_t weights_ = 0;
    std::uint64_t reconnects_ = 0;
    std::string first_error_;
};

std::size_t Worker::choose() {
    auto point = random_() % weights_;
    for (std::size_t at = 0; at + 1 < statements_.size(); ++at) {
        if (point < statements_[at].weight) return at;
        point -= statements_[at].weight;
    }
    return statements_.size() - 1;
}

/// Waits for this connection's turn when a rate is set; false when the run is to end.
bool Worker::pace(Clock::time_point start, std::uint64_t sent) {
    if (options_.rate <= 0) return true;
    const auto turns = static_cast<double>(sent * options_.connections + number_);
    const auto due = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(turns / options_.rate));
    const auto now = Clock::now();
    return due <= now || cancellation_.sleep(due - now);
}

void Worker::note(std::size_t at, const base::Failure& failure) {
    ++figures_[at].errors;
    if (first_error_.empty()) first_error_ = fmt::format("{}: {}", statements_[at].name, failure.what());
}

void Worker::call(std::size_t at) {
    const auto parameters = source_.draw(statements_[at], random_);
    const auto begun = Clock::now();
    try {
        session_.query(statements_[at].sql, parameters);
        figures_[at].latencies.add(Clock::now() - begun);
    } catch (const base::Failure& failure) {
        note(at, failure);
    }
}

bool Worker::reconnect(Clock::time_point end) {
    while (!cancellation_.requested() && Clock::now() < end) {
        try {
            session_ = connect(conninfo_);
            ++reconnects_;
            return true;
        } catch (const base::Failure&) {
            cancellation_.sleep(std::chrono::milliseconds(200));
        }
    }
    return false;
}

void Worker::run(Clock::time_point start) {
    const auto end = options_.duration ? start + *options_.duration : Clock::time_point::max();
    for (std::uint64_t sent = 0; !options_.statements || sent < *options_.statements; ++sent) {
        if (!pace(start, sent) || cancellation_.requested() || Clock::now() >= end) return;
        if (!session_.alive() && !reconnect(end)) return;
        call(choose());
    }
}

void Worker::add_to(WorkloadResult& result) const {
    for (std::size_t at = 0; at < figures_.size(); ++at) {
        const auto& own = figures_[at];
        result.statements[at].errors += own.errors;
        result.statements[at].latencies.merge(own.latencies);
        result.all.merge(own.latencies);
        result.errors += own.errors;
        if (own.writes) result.writes += own.latencies.count();
    }
    result.reconnects += reconnects_;
    if (result.first_error.empty()) result.first_error = first_error_;
}

}  // namespace

WorkloadResult run_workload(const std::string& conninfo, const WorkloadOptions& options, const base::Cancellation& cancellation) {
    if (options.connections < 1 || options.connections > 256) {
        throw base::Failure(base::FailureKind::usage, fmt::format("the number of connections is out of range: {}", options.connections),
                            "give 1 to 256");
    }
    const auto statements = chosen(options.mix);
    std::unique_ptr<ParameterSource> source;
    {
        auto session = connect(conninfo);
        source = std::make_unique<ParameterSource>(session, statements, options.seed);
    }
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::size_t number = 0; number < options.connections; ++number) {
        workers.push_back(std::make_unique<Worker>(conninfo, options, statements, *source, cancellation, number));
    }
    const auto start = Clock::now();
    {
        std::vector<std::jthread> threads;
        for (auto& worker : workers) threads.emplace_back([&worker, start] { worker->run(start); });
    }
    WorkloadResult result;
    result.statements = blank(statements);
    for (const auto& worker : workers) worker->add_to(result);
    result.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    return result;
}

}  // namespace howdah::sample
