#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "base/failure.hpp"
#include "sample/marketplace.hpp"
#include "sample/scripts.hpp"
#include "sample/steps.hpp"

namespace howdah::sample {
namespace {

using base::Failure;
using base::FailureKind;

// Names in the scripts are not qualified; the planner must not compile the generator's long expressions anew for each statement.
constexpr const char* kSettings =
    "SET search_path = marketplace, marketplace_generator; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET jit = off;"
    "SET synchronous_commit = off; SET work_mem = '64MB'; SET maintenance_work_mem = '256MB'; SET client_min_messages = warning;"
    "SET row_security = off; SET check_function_bodies = on; SET lc_monetary = 'C'; SET lc_numeric = 'C';";

void check(const LoadOptions& options) {
    if (!(options.scale >= 0.001 && options.scale <= 50)) {
        throw Failure(FailureKind::usage, fmt::format("the sample's scale is out of range: {}", options.scale),
                      "give a scale from 0.001 to 50; 1 is about 500 MB");
    }
    if (options.jobs < 1 || options.jobs > 16) {
        throw Failure(FailureKind::usage, fmt::format("the number of loading connections is out of range: {}", options.jobs),
                      "give 1 to 16");
    }
}

/// One load: its connections' recipe, its place in the progress, its stop.
class Loader {
public:
    Loader(const std::string& conninfo, const LoadOptions& options, const base::Cancellation& cancellation, const LoadProgress& progress)
        : conninfo_(conninfo), options_(options), cancellation_(cancellation), progress_(progress) {}

    void run();

private:
    postgres::Session connect() const;
    void make_schema(postgres::Session& session);
    std::vector<Step> generator_steps() const;
    static std::vector<Step> table_steps(postgres::Session& session, const std::string& query);
    void run_all(std::vector<Step> steps);
    void work(StepQueue& queue);
    void advance(std::string_view step);

    const std::string& conninfo_;
    const LoadOptions& options_;
    const base::Cancellation& cancellation_;
    const LoadProgress& progress_;
    std::mutex mutex_;
    std::exception_ptr failure_;
    std::size_t done_ = 0;
    std::size_t total_ = 0;
};

postgres::Session Loader::connect() const {
    postgres::SessionOptions session_options;
    session_options.application_name = "howdah sample load";
    postgres::Session session(conninfo_, session_options, cancellation_);
    session.script(kSettings);
    session.query("SELECT set_config('howdah.scale', $1, false), set_config('howdah.seed', $2, false)",
                  {fmt::format("{:.4f}", options_.scale), fmt::format("{}", options_.seed)});
    return session;
}

void Loader::make_schema(postgres::Session& session) {
    std::string script = "CREATE SCHEMA marketplace;";
    for (const auto& part : scripts("schema")) script += part.text;
    session.script(script);
}

std::vector<Step> Loader::generator_steps() const {
    std::vector<Step> steps;
    for (const auto& part : scripts("generate")) steps.push_back({part.name, std::string(part.text), needs_of(part.text)});
    return steps;
}

std::vector<Step> Loader::table_steps(postgres::Session& session, const std::string& query) {
    const auto rows = session.query(query);
    std::vector<Step> steps;
    for (std::size_t row = 0; row < rows.size(); ++row)
        steps.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1)), {}});
    return steps;
}

void Loader::advance(std::string_view step) {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (progress_) progress_(done_, total_, step);
}

void Loader::work(StepQueue& queue) {
    try {
        auto session = connect();
        while (const auto* step = queue.next()) {
            cancellation_.check("loading the sample");
            session.script(step->sql);
            queue.done(*step);
            advance(step->name);
        }
    } catch (...) {
        queue.stop();
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
    }
}

void Loader::run_all(std::vector<Step> steps) {
    StepQueue queue(std::move(steps));
    {
        std::vector<std::jthread> workers;
        for (std::size_t job = 0; job < std::min(options_.jobs, queue.size()); ++job) workers.emplace_back([&] { work(queue); });
    }
    if (failure_) std::rethrow_exception(failure_);
}

// Statistics come before the validation, whose joins are planned by them; a table's keys are checked by one worker because
// validating locks the referencing table only, and so never makes two workers wait for each other.
void Loader::run() {
    auto session = connect();
    auto generate = generator_steps();
    total_ = generate.size() + 3;
    make_schema(session);
    advance("tables");
    run_all(std::move(generate));
    for (const auto& part : scripts("constraints")) session.script(std::string(part.text));
    advance("constraints");
    auto analyze = table_steps(
        session,
        "SELECT 'statistics of ' || relname, pg_catalog.format('ANALYZE marketplace.%I', relname) FROM pg_catalog.pg_class"
        " WHERE relnamespace = 'marketplace'::regnamespace AND relkind = 'r' ORDER BY pg_catalog.pg_relation_size(oid) DESC, relname");
    auto validate = table_steps(
        session,
        "SELECT 'keys of ' || r.relname, pg_catalog.string_agg(pg_catalog.format('ALTER TABLE marketplace.%I VALIDATE CONSTRAINT %I', r.relname, c.conname), ';')"
        " FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid = c.conrelid"
        " WHERE c.connamespace = 'marketplace'::regnamespace AND c.contype = 'f' AND NOT c.convalidated"
        " GROUP BY r.oid, r.relname ORDER BY pg_catalog.count(*) * pg_catalog.pg_relation_size(r.oid) DESC, r.relname");
    total_ += analyze.size() + validate.size();
    run_all(std::move(analyze));
    run_all(std::move(validate));
    session.script(std::string(finish_script()));
    advance("finish");
}

LoadResult measure(postgres::Session& session) {
    const auto rows = session.query(
        "SELECT count(*) FILTER (WHERE relkind = 'r'), coalesce(sum(pg_catalog.pg_total_relation_size(oid)) FILTER (WHERE relkind IN ('r', 'm')), 0)::bigint,"
        " (SELECT count(*) FROM pg_catalog.pg_constraint WHERE contype = 'f' AND convalidated AND connamespace = 'marketplace'::regnamespace)"
        " FROM pg_catalog.pg_class WHERE relnamespace = 'marketplace'::regnamespace");
    LoadResult result;
    result.tables = static_cast<std::size_t>(rows.integer(0, 0));
    result.size = {static_cast<std::uint64_t>(rows.integer(0, 1))};
    result.foreign_keys = static_cast<std::size_t>(rows.integer(0, 2));
    return result;
}

}  // namespace

LoadResult load(const std::string& conninfo, const LoadOptions& options, const base::Cancellation& cancellation,
                const LoadProgress& progress) {
    check(options);
    const auto start = std::chrono::steady_clock::now();
    // This session does not carry the caller's stop: it must still be able to clean up after one.
    postgres::Session session(conninfo);
    if (loaded(session)) {
        throw Failure(FailureKind::operation, "the sample cannot be loaded: schema marketplace is there already",
                      "load it into another database, or drop the schemas marketplace and marketplace_generator");
    }
    if (const auto encoding = session.value("SHOW server_encoding"); encoding != "UTF8") {
        throw Failure(FailureKind::operation, fmt::format("the sample cannot be loaded: the database's encoding is {}", encoding),
                      "make a database for it: createdb --encoding=UTF8 --template=template0 NAME");
    }
    try {
        Loader(conninfo, options, cancellation, progress).run();
    } catch (...) {
        // What made the load fail counts; a clean-up that fails as well (server gone) would only hide it.
        try {
            drop(session);
        } catch (const Failure&) {
        }
        throw;
    }
    auto result = measure(session);
    result.took = std::chrono::duration_cast<base::Duration>(std::chrono::steady_clock::now() - start);
    return result;
}

}  // namespace howdah::sample
