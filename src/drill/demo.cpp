#include "drill/demo.hpp"

#include <fmt/core.h>

#include <chrono>
#include <optional>

#include "archive/prove.hpp"
#include "archive/wal_archive.hpp"
#include "backup/run.hpp"
#include "base/hooks.hpp"
#include "drill/accident.hpp"
#include "drill/demo_ground.hpp"
#include "drill/load.hpp"
#include "drill/truth.hpp"
#include "repository/initialise.hpp"
#include "repository/repository.hpp"
#include "restore/plan.hpp"
#include "restore/run.hpp"
#include "restore/start.hpp"
#include "sample/marketplace.hpp"

namespace howdah::drill {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLoadJobs = 2;
constexpr auto kUseBefore = 1500ms;  ///< The shop is used this long before the backup and after it.
constexpr auto kUseAtAccident = 700ms;
constexpr auto kPatience = std::chrono::minutes(30);

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Demo {
public:
    Demo(const DemoOptions& options, const DemoListener& listener, const base::Cancellation& cancellation)
        : options_(options), listener_(listener), cancellation_(cancellation) {}

    DemoReport run();

private:
    void prepare();
    void load_marketplace();
    void back_up();
    void record_truth();
    void have_accident();
    void archive_rest();
    void restore();
    void compare(postgres::ScratchServer& sandbox);
    void use_for(std::chrono::milliseconds time) { (void)cancellation_.sleep(time), cancellation_.check("the demo"); }
    void count(const sample::WorkloadResult& result) {
        report_.workload_statements += result.all.count();
        report_.workload_errors += result.errors;
    }
    std::optional<base::Timestamp> last_archived_commit();
    postgres::Session session() { return ground_->session(); }

    const DemoOptions& options_;
    const DemoListener& listener_;
    const base::Cancellation& cancellation_;
    DemoReport report_;
    std::optional<DemoGround> ground_;
    std::optional<repository::Repository> repository_;
    std::optional<repository::ClusterArea> area_;
    std::optional<Load> load_;  ///< Of the time around the accident.
    Truth truth_;
};

void Demo::prepare() {
    listener_.begin("starting a private PostgreSQL server and an encrypted repository");
    ground_.emplace();
    repository::initialise(ground_->config().repository(), true);
    repository_.emplace(repository::Repository::open(ground_->config().repository()));
    auto open = session();
    report_.server_version = open.version();
    listener_.end(fmt::format("PostgreSQL {}.{}, archiving on, AES-256-GCM", open.major(), open.version() % 10000));
}

void Demo::load_marketplace() {
    listener_.begin(fmt::format("loading the marketplace, scale {}", options_.scale));
    const auto loaded =
        sample::load(ground_->server().conninfo(), {.scale = options_.scale, .seed = options_.seed, .jobs = kLoadJobs}, cancellation_);
    report_.tables = loaded.tables;
    report_.database_bytes = loaded.size;
    report_.load_seconds = std::chrono::duration<double>(loaded.took).count();
    listener_.end(fmt::format("{} tables, {} foreign keys, {} in {:.1f} s", loaded.tables, loaded.foreign_keys, base::text(loaded.size),
                              report_.load_seconds));
}

/// A full backup while the shop is used.
void Demo::back_up() {
    listener_.begin("taking a full backup while the shop is used");
    Load load(ground_->server().conninfo(), options_.seed);
    use_for(kUseBefore);
    const auto result = backup::run_backup(ground_->cluster(), *repository_, {.label = "howdah demo"}, cancellation_);
    use_for(kUseBefore);
    count(load.stop());
    const auto& root = result.root;
    area_.emplace(root.cluster, root.system_identifier);
    report_.backup = {.id = root.id,
                      .bytes = root.bytes,
                      .stored_bytes = root.stored_bytes,
                      .seconds = root.seconds,
                      .files = root.files,
                      .bad_pages = root.bad_pages,
                      .statements_meanwhile = report_.workload_statements};
    listener_.end(fmt::format("{}: {} in {} files → {} stored in {:.1f} s ({:.0f} MiB/s)", root.id, base::text(root.bytes), root.files,
                              base::text(root.stored_bytes), root.seconds,
                              static_cast<double>(root.bytes.count) / (1 << 20) / root.seconds));
}

void Demo::record_truth() {
    listener_.begin("recording the truth: row count and checksum of every table");
    auto open = session();
    truth_ = drill::record_truth(open);
    std::int64_t rows = 0;
    for (const auto& [name, sum] : truth_.tables) rows += sum.rows;
    report_.restore.target = truth_.target;
    listener_.end(fmt::format("{} tables, {} rows at {}", truth_.tables.size(), rows, base::text(truth_.target)));
}

void Demo::have_accident() {
    listener_.begin("having an accident while the shop is used");
    load_.emplace(ground_->server().conninfo(), options_.seed + 1);
    use_for(kUseAtAccident);
    auto open = session();
    const auto accident = cause_accident(open);
    report_.accident = {.at = accident.at, .rows_deleted = accident.rows_deleted, .dropped_table = accident.dropped_table};
    const auto durable = last_archived_commit();
    const auto lost = report_.accident.at - durable.value_or(report_.accident.at);
    report_.rpo_loss_seconds = std::chrono::duration<double>(lost).count();
    listener_.end(fmt::format("DELETE FROM {} without WHERE: {} rows gone; DROP TABLE {}", accident.emptied_table, accident.rows_deleted,
                              accident.dropped_table));
}

/// The newest commit that is in the repository by now: what would be left had the host been lost.
std::optional<base::Timestamp> Demo::last_archived_commit() {
    const archive::WalArchive wal(*repository_, *area_);
    const auto size = postgres::read_control_file(ground_->server().data_directory()).wal_segment_size;
    const auto ranges = wal.ranges(size);
    if (ranges.empty()) return std::nullopt;
    for (auto segment = ranges.back().last;; --segment.number) {
        const auto trailer = wal.trailer(segment.name(size));
        if (trailer && trailer->last_commit_time) return trailer->last_commit_time;
        if (segment == ranges.back().first) return std::nullopt;
    }
}

/// The shop goes on after the accident, and its WAL reaches the repository.
void Demo::archive_rest() {
    listener_.begin("the shop goes on as well as it can; its WAL is archived");
    use_for(kUseAtAccident);
    count(load_->stop());
    load_.reset();
    auto open = session();
    const archive::WalArchive wal(*repository_, *area_);
    archive::prove_archiving(open, wal, ground_->server().data_directory(), kPatience, cancellation_);
    const auto segment_size = postgres::read_control_file(ground_->server().data_directory()).wal_segment_size;
    repository_->store().list(area_->wal_prefix(), [&](const storage::Listed& object) {
        ++report_.wal.segments;
        report_.wal.stored_bytes += object.size;
    });
    report_.wal.bytes = {report_.wal.segments * segment_size};
    listener_.end(fmt::format("{} segments, {} → {} stored", report_.wal.segments, base::text(report_.wal.bytes),
                              base::text(report_.wal.stored_bytes)));
}

void Demo::restore() {
    listener_.begin(fmt::format("restoring to {} in a sandbox", base::text(truth_.target)));
    const auto decided = std::chrono::steady_clock::now();
    const auto plan =
        restore::make_plan(*repository_, {.cluster = "demo", .backup_id = {}, .target = restore::ToTime{truth_.target}, .timeline = {}});
    const restore::RestoreOptions restoring{.into = ground_->server().workspace() / "restored",
                                            .tablespaces = {},
                                            .config_to = {},
                                            .fetch = {{ground_->binary().string(), "--config", ground_->config_file().string(), "--cluster",
                                                       "demo", "wal", "fetch", "%f", "%p"}},
                                            .sandbox = true};
    const auto restored = restore::run_restore(*repository_, plan, restoring, cancellation_);
    report_.restore.copy_seconds = restored.seconds;
    restore::StartResult started;
    auto sandbox = restore::start_sandbox(restored.data_directory, ground_->server().programs(), kPatience, cancellation_, &started);
    report_.rto_seconds = seconds_since(decided);
    report_.restore.recovery_seconds = started.seconds_to_promoted;
    listener_.end(fmt::format("{} copied in {:.1f} s, recovered and promoted in {:.1f} s", base::text(restored.bytes), restored.seconds,
                              started.seconds_to_promoted));
    base::pause_point("demo.restored", sandbox.conninfo());
    compare(sandbox);
}

void Demo::compare(postgres::ScratchServer& sandbox) {
    listener_.begin("comparing every table with the truth");
    postgres::Session open(sandbox.conninfo());
    const auto last = open.query("SELECT to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
    if (const auto time = base::parse_timestamp(last.text(0, 0)))
        report_.rpo_seconds = std::chrono::duration<double>(report_.accident.at - *time).count();
    auto& result = report_.restore;
    for (const auto& [name, sum] : truth_.tables) result.rows_compared += sum.rows;
    result.differences = compare_with(truth_, open);
    result.tables_compared = truth_.tables.size();
    result.tables_equal = result.tables_compared - result.differences.size();
    report_.ok = result.tables_compared > 0 && result.tables_equal == result.tables_compared;
    listener_.end(fmt::format("{} of {} tables equal, {} rows", result.tables_equal, result.tables_compared, result.rows_compared));
}

DemoReport Demo::run() {
    report_.scale = options_.scale;
    prepare();
    load_marketplace();
    back_up();
    record_truth();
    have_accident();
    archive_rest();
    restore();
    return report_;
}

}  // namespace

DemoReport run_demo(const DemoOptions& options, const DemoListener& listener, const base::Cancellation& cancellation) {
    return Demo(options, listener, cancellation).run();
}

}  // namespace howdah::drill
