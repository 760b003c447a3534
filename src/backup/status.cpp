#include "backup/status.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "archive/coverage.hpp"
#include "postgres/cluster_facts.hpp"

namespace howdah::backup {

namespace {

using namespace std::chrono_literals;

constexpr auto kSample = 100ms;
constexpr base::Duration kDiskWarning = std::chrono::hours(24);

/// Of one system identifier when it is known: an upgraded server is not protected by its predecessor's backups.
std::optional<repository::Backup> newest_sound(const repository::Repository& repository, const std::string& cluster,
                                               const repository::ClusterArea* area, std::vector<std::string>& broken) {
    auto backups = repository::list_backups(repository, cluster);
    if (area) std::erase_if(backups, [&](const auto& backup) { return backup.area.prefix() != area->prefix(); });
    for (const auto& backup : backups)
        if (!backup.damage.empty()) broken.push_back(fmt::format("backup {} is damaged: {}", backup.root.id, backup.damage));
    std::erase_if(backups, [](const auto& backup) { return !backup.damage.empty(); });
    const auto newest =
        std::max_element(backups.begin(), backups.end(), [](const auto& a, const auto& b) { return a.root.stop_time < b.root.stop_time; });
    return newest == backups.end() ? std::nullopt : std::optional(*newest);
}

/// The server side is looked at as far as it can be reached: a dead server is the moment when this command is needed most.
std::optional<postgres::Session> try_connect(const base::ClusterConfig& cluster, Status& status, const base::Cancellation& cancellation) {
    try {
        postgres::SessionOptions options;
        options.application_name = "howdah status";
        postgres::Session session(cluster.conninfo, options, cancellation);
        status.server_reached = true;
        return session;
    } catch (const postgres::ServerFailure& failure) {
        status.server_failure = failure.what();
        return std::nullopt;
    }
}

void look_at_path(const repository::Repository& repository, Status& status) {
    const auto& root = status.newest->root;
    const archive::WalArchive wal(repository, status.newest->area);
    try {
        const auto path = archive::find_path(wal, root.timeline, root.start, root.stop, std::nullopt, root.wal_segment_size);
        const auto span = archive::commit_span(wal, path, root.stop);
        status.recoverable_to = span.last;
        if (span.unfinished)
            status.broken.push_back(
                fmt::format("{}: {}", archive::describe(*span.unfinished), archive::unfinished_remedy(span.unfinished->segment)));
        if (!status.recoverable_to) status.recoverable_to = root.stop_time;
        if (path.first_missing)
            status.broken.push_back(fmt::format("WAL segment {} is missing after the newest backup {}", *path.first_missing, root.id));
    } catch (const base::Failure& failure) {
        if (failure.kind() != base::FailureKind::operation) throw;
        status.broken.push_back(fmt::format("the newest backup {} has no way through the archive: {}", root.id, failure.what()));
    }
}

void judge(Status& status, const base::Config& config) {
    const auto& objective = config.objective;
    if (!status.newest)
        status.broken.push_back("there is no backup");
    else if (*status.age > objective.backup_age)
        status.broken.push_back(fmt::format("the newest backup is {} old, more than objective.backup_age of {}",
                                            base::text_duration(*status.age), base::text_duration(objective.backup_age)));
    if (!status.server_reached) status.broken.push_back("the server cannot be reached: " + status.server_failure);
    if (!status.wal.not_archiving.empty()) status.broken.push_back(status.wal.not_archiving + ": run `howdah wal setup`");
    if (status.wal.archiver_fails)
        status.broken.push_back(fmt::format("archiving fails: the server's last attempt at {} failed; its reason is in the server's log",
                                            status.wal.last_failed.value_or("a WAL file")));
    if (status.wal.backlog && status.wal.backlog->oldest_age && *status.wal.backlog->oldest_age > objective.rpo)
        status.broken.push_back(fmt::format("{} WAL file(s) wait to be archived, the oldest for {}, more than objective.rpo of {}",
                                            status.wal.backlog->ready, base::text_duration(*status.wal.backlog->oldest_age),
                                            base::text_duration(objective.rpo)));
    constexpr std::uint64_t kSegmentsInFlight = 2;
    const bool nothing_waits = !status.wal.backlog || status.wal.backlog->ready == 0;
    if (status.server_reached && status.wal.segment_size && nothing_waits &&
        status.wal.lag.count > kSegmentsInFlight * status.wal.segment_size)
        status.broken.push_back(
            fmt::format("{} of WAL are neither archived nor waiting: archiving is off or goes elsewhere", base::text(status.wal.lag)));
    if (status.wal.until_full && *status.wal.until_full < kDiskWarning && status.wal.backlog && status.wal.backlog->ready > 0)
        status.broken.push_back(fmt::format("the WAL disk is full in {} at this rate", base::text_duration(*status.wal.until_full)));
}

}  // namespace

Status look_at_status(const repository::Repository& repository, const base::ClusterConfig& cluster, const base::Config& config,
                      const base::Cancellation& cancellation) {
    Status status;
    auto session = try_connect(cluster, status, cancellation);
    std::optional<repository::ClusterArea> area;
    auto data_directory = cluster.data_directory;
    if (session) {
        const auto facts = postgres::read_cluster_facts(*session);
        area.emplace(cluster.name, facts.system_identifier);
        if (data_directory.empty()) data_directory = facts.data_directory;
    }
    status.newest = newest_sound(repository, cluster.name, area ? &*area : nullptr, status.broken);
    if (!area && status.newest) area.emplace(status.newest->area);
    if (area)
        status.wal = archive::read_wal_status(session ? &*session : nullptr, archive::WalArchive(repository, *area), data_directory,
                                              kSample, cancellation);
    if (status.newest) {
        status.age = repository.store().now() - status.newest->root.stop_time;
        look_at_path(repository, status);
    }
    judge(status, config);
    return status;
}

}  // namespace howdah::backup
