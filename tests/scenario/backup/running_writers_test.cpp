// Restored to a moment at which writers were under way, a cluster is the one that a consistent dump of that moment shows.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "sample/marketplace.hpp"
#include "sample/workload.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

/// Writers from construction to the end.
class Writers {
public:
    explicit Writers(const std::string& conninfo)
        : result_(std::async(std::launch::async, [this, conninfo] {
              return sample::run_workload(
                  conninfo, {.connections = 2, .seed = 7, .mix = sample::Mix::writes, .duration = {}, .statements = {}, .rate = 400},
                  stop_);
          })) {}
    ~Writers() { stop_.request(); }
    Writers(const Writers&) = delete;
    Writers& operator=(const Writers&) = delete;

    std::uint64_t stop() {
        stop_.request();
        return result_.get().writes;
    }

private:
    base::Cancellation stop_;
    std::future<sample::WorkloadResult> result_;
};

struct Sequence {
    std::int64_t value = 0;
    std::int64_t step = 1;
};

std::map<std::string, Sequence> sequences(postgres::Session& session) {
    std::map<std::string, Sequence> found;
    const auto rows = session.query("SELECT schemaname || '.' || sequencename, coalesce(last_value, 0), increment_by FROM pg_sequences");
    const auto text = [&](std::size_t row, std::size_t column) { return std::string(rows.text(row, column)); };
    for (std::size_t i = 0; i < rows.size(); ++i) found[text(i, 0)] = {std::stoll(text(i, 1)), std::stoll(text(i, 2))};
    return found;
}

struct Moment {
    std::string lsn, time, dump;
    std::map<std::string, Sequence> sequences;
};

/// Takes locks that no writer goes beside. One that comes the other way round may win the deadlock; then anew.
void hold_writers(postgres::Session& session) {
    const auto tables = session.value(
        "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables WHERE schemaname IN ('marketplace', 'public')");
    for (;;) {
        session.query("BEGIN");
        try {
            session.query("LOCK TABLE " + tables + " IN SHARE MODE");
            return;
        } catch (const postgres::ServerFailure& failure) {
            if (failure.sqlstate() != "40P01") throw;
            session.query("ROLLBACK");
        }
    }
}

/// The writers wait for as long as it takes to note the moment. The dump of its snapshot is made while they write on.
Moment record(ProtectedServer& protectee) {
    Moment moment;
    auto holder = protectee.session(), reader = protectee.session();
    hold_writers(holder);
    reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    const auto snapshot = reader.value("SELECT pg_export_snapshot()");
    moment.sequences = sequences(holder);
    moment.lsn = holder.value("SELECT pg_current_wal_insert_lsn()");
    moment.time = holder.value("SELECT clock_timestamp()::text");
    // Replay ends at a commit after the target: this one, before a writer takes the next value of a sequence.
    protectee.session().query("SELECT txid_current()");
    holder.query("COMMIT");
    moment.dump = dump(protectee.server(), "postgres", {"--snapshot=" + snapshot, "--no-unlogged-table-data"});
    return moment;
}

void expect_equal(ProtectedServer& protectee, const Moment& moment, const std::string& option, const std::string& target) {
    SCOPED_TRACE(option + " " + target);
    const auto into = protectee.workspace() / ("restored" + option);
    protectee.howdah_ok({"restore", "--into", into.string(), option, target});
    auto server = protectee.start_restored(into);
    EXPECT_TRUE(dump(server, "postgres", {"--no-unlogged-table-data"}) == moment.dump) << "the dumps differ";
    {
        auto session = open_session(server);
        EXPECT_EQ(session.value("SELECT count(*) FROM scratchpad"), "0") << "an unlogged table is empty after recovery";
        const auto found = sequences(session);
        EXPECT_EQ(found.size(), moment.sequences.size());
        for (const auto& [name, then] : moment.sequences) {
            const auto ahead = (found.at(name).value - then.value) / then.step;
            EXPECT_TRUE(ahead >= 0 && ahead <= 32) << name << " was at " << then.value << " and is at " << found.at(name).value;
        }
    }
    EXPECT_EQ(check_restored(server), "");
}

TEST(RunningWriters, ARestoredClusterDumpsAsTheSourceDidAtThatMoment) {
    ProtectedServer protectee;
    sample::load(protectee.server().conninfo(), {.scale = 0.02, .seed = 42, .jobs = 2}, {});
    protectee.session().script("CREATE UNLOGGED TABLE scratchpad AS SELECT g FROM generate_series(1, 1000) g");
    Moment moment;
    std::uint64_t written = 0;
    {
        Writers writers(protectee.server().conninfo());
        protectee.howdah_ok({"backup", "run"});
        moment = record(protectee);
        EXPECT_NE(dump(protectee.server(), "postgres", {"--no-unlogged-table-data"}), moment.dump) << "the writers went on";
        written = writers.stop();
    }
    EXPECT_GT(written, 0u);
    protectee.archive_everything();
    expect_equal(protectee, moment, "--to-lsn", moment.lsn);
    expect_equal(protectee, moment, "--to-time", moment.time);
}

}  // namespace
}  // namespace howdah::tests
