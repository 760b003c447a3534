#include "backup/verify.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "archive/coverage.hpp"
#include "archive/unfinished.hpp"
#include "archive/wal_archive.hpp"
#include "backup/inspect.hpp"
#include "base/progress.hpp"
#include "repository/backups.hpp"

namespace howdah::backup {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{200};

/// The WAL a backup cannot be restored without.
void check_wal(const repository::Repository& repository, const repository::Backup& backup, std::vector<std::string>& problems) {
    const auto& root = backup.root;
    const archive::WalArchive wal(repository, backup.area);
    const auto size = root.wal_segment_size;
    const auto last = postgres::parse_segment_name(root.last_segment, size);
    auto segment = postgres::parse_segment_name(root.first_segment, size);
    if (!segment || !last) {
        problems.push_back(
            fmt::format("backup {} names WAL segments that are none: {} to {}", root.id, root.first_segment, root.last_segment));
        return;
    }
    const auto ranges = wal.ranges(size);
    const auto covers = [&](const archive::WalRange& range) { return range.first <= *segment && *last <= range.last; };
    if (std::any_of(ranges.begin(), ranges.end(), covers)) return;
    for (; *segment <= *last; segment = segment->next()) {
        const auto name = segment->name(size);
        if (!wal.has(name))
            problems.push_back(fmt::format("backup {} cannot be restored: WAL segment {} is not in the archive", root.id, name));
    }
}

/// Damage met on the way is among the objects' findings already, and must not hide the rest.
template <typename Check>
void guarded(VerifyResult& result, const Check& check) {
    try {
        check();
    } catch (const base::Cancelled&) {
        throw;
    } catch (const base::Failure& failure) {
        if (failure.kind() != base::FailureKind::operation) throw;
        if (result.damage.empty()) result.problems.emplace_back(failure.what());
    }
}

/// When the segment that makes a gap of it was stored; where a timeline branches off, when the newest of all was.
base::Timestamp stored_after(const repository::Repository& repository, const repository::ClusterArea& area, const archive::WalGap& gap,
                             std::uint64_t size) {
    const auto object = area.wal(gap.last.next().name(size));
    std::optional<base::Timestamp> after;
    base::Timestamp newest;
    repository.store().list(area.wal_prefix(), [&](const storage::Listed& listed) {
        if (listed.name == object) after = listed.modified;
        newest = std::max(newest, listed.modified);
    });
    return after.value_or(newest);
}

/// Segments missing within a timeline, or where one left another: those that are still missing when their successor has settled, as
/// segments are pushed side by side.
void check_gaps(const repository::Repository& repository, const repository::ClusterArea& area, std::chrono::seconds settle,
                const base::Cancellation& cancellation, std::vector<std::string>& problems) {
    const archive::WalArchive wal(repository, area);
    const auto size = wal.segment_size();
    if (!size) return;
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& gap : archive::find_gaps(wal, *size)) {
        const auto filled = [&] {
            for (auto segment = gap.first; segment <= gap.last; segment = segment.next())
                if (!wal.has(segment.name(*size))) return false;
            return true;
        };
        bool missing = !filled();
        while (missing && std::chrono::steady_clock::now() - begin < settle &&
               repository.store().now() - stored_after(repository, area, gap, *size) < settle) {
            if (!cancellation.sleep(kBetweenLooks)) cancellation.check("verifying the WAL");
            missing = !filled();
        }
        if (missing)
            problems.push_back(fmt::format("WAL of cluster {} has a gap: {} to {} are not in the archive", area.cluster(),
                                           gap.first.name(*size), gap.last.name(*size)));
    }
}

/// Segments that recovery cannot go beyond: archived before their server had finished them, and followed by others.
void check_unfinished(const repository::Repository& repository, const repository::ClusterArea& area, std::vector<std::string>& problems) {
    const archive::WalArchive wal(repository, area);
    const auto size = wal.segment_size();
    if (!size) return;
    for (const auto& unfinished : archive::find_unfinished(wal, *size))
        problems.push_back(fmt::format("cluster {}: {}; {}", area.cluster(), archive::describe(unfinished),
                                       archive::unfinished_remedy(unfinished.segment)));
}

/// The end of a backup's own WAL, which may lie in an unfinished segment that nothing follows yet.
void check_stop(const repository::Repository& repository, const repository::Backup& backup, std::vector<std::string>& problems) {
    const auto trailer = archive::WalArchive(repository, backup.area).trailer(backup.root.last_segment);
    if (trailer && archive::is_unfinished(*trailer) && trailer->end_of_records < backup.root.stop)
        problems.push_back(fmt::format(
            "backup {} cannot be restored: WAL segment {} was archived unfinished, its records end at {} before the backup's end at {}",
            backup.root.id, trailer->segment, base::text(trailer->end_of_records), base::text(backup.root.stop)));
}

void look_into(const repository::Repository& repository, const std::string& cluster, unsigned jobs, base::Progress& progress,
               const base::Cancellation& cancellation, std::chrono::seconds settle, const repository::Share& share, VerifyResult& result) {
    BackupInspector inspector(repository, cluster, cancellation);
    repository::Inspection inspection{.share = share, .inspector = inspector, .figures = {}};
    result.damage = repository::verify_objects(repository, cluster, jobs, progress, cancellation, settle, &inspection);
    inspector.check_split_pages(share);
    result.problems = inspector.problems();
    if (result.damage.empty())
        for (const auto& what : inspector.passed_over()) result.problems.push_back("not everything was looked into: " + what);
    const auto& figures = inspection.figures;
    result.looked_into = VerifyResult::LookedInto{.frames = figures.frames,
                                                  .frames_total = figures.frames_total,
                                                  .bytes = {figures.bytes},
                                                  .bytes_total = {figures.bytes_total},
                                                  .pages = inspector.pages(),
                                                  .without_checksums = inspector.without_checksums()};
}

}  // namespace

VerifyResult verify(const repository::Repository& repository, const std::string& cluster, unsigned jobs,
                    const base::Cancellation& cancellation, std::chrono::seconds settle, const std::optional<repository::Share>& share) {
    VerifyResult result;
    repository.store().list({}, [&](const storage::Listed& object) {
        ++result.objects;
        result.bytes += object.size;
    });
    if (jobs == 0) jobs = std::max(1u, std::thread::hardware_concurrency());
    base::Progress progress("verifying", result.bytes, base::progress_allowed());
    if (share)
        look_into(repository, cluster, jobs, progress, cancellation, settle, *share, result);
    else
        result.damage = repository::verify_objects(repository, cluster, jobs, progress, cancellation, settle);
    for (const auto& backup : repository::list_backups(repository, cluster)) {
        ++result.backups;
        if (!backup.damage.empty() && result.damage.empty()) result.problems.push_back(backup.damage);
        if (backup.damage.empty()) guarded(result, [&] { check_wal(repository, backup, result.problems); });
        if (backup.damage.empty()) guarded(result, [&] { check_stop(repository, backup, result.problems); });
    }
    for (const auto& area : repository.areas())
        if (cluster.empty() || area.cluster() == cluster) guarded(result, [&] { check_unfinished(repository, area, result.problems); });
    for (const auto& area : repository.areas())
        if (cluster.empty() || area.cluster() == cluster)
            guarded(result, [&] { check_gaps(repository, area, settle, cancellation, result.problems); });
    return result;
}

}  // namespace howdah::backup
