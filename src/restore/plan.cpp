#include "restore/plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <set>

#include "archive/filler.hpp"
#include "base/hooks.hpp"
#include "restore/target_search.hpp"

namespace howdah::restore {

namespace {

using base::Failure;
using base::FailureKind;
using repository::Backup;

template <typename... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

/// No way leads from this backup to the target; one may from an older backup.
class NoWay : public Failure {
public:
    using Failure::Failure;
};

[[noreturn]] void refuse(std::string what, std::string hint) { throw Failure(FailureKind::operation, std::move(what), std::move(hint)); }

/// Whether a backup was complete before the target (trap T21: its stop counts, not its start).
bool serves(const Backup& backup, const Target& target) {
    const bool by_stop = base::guard("T21.stop_before_target");
    const auto& root = backup.root;
    return std::visit(Overloaded{[](const ToLatest&) { return true; }, [](const ToBackupEnd&) { return true; },
                                 [&](const ToTime& to) { return (by_stop ? root.stop_time : root.start_time) <= to.time; },
                                 [&](const ToLsn& to) { return (by_stop ? root.stop : root.start) <= to.lsn; },
                                 // Where these are is known only on the way from a backup.
                                 [](const ToName&) { return true; }, [](const ToXid&) { return true; }},
                      target);
}

/// Newest last: a timeline's later position; the server's time decides only between system identifiers.
std::vector<Backup> candidates(const repository::Repository& repository, const PlanRequest& request) {
    auto backups = repository::list_backups(repository, request.cluster);
    std::erase_if(backups, [](const Backup& backup) { return !backup.damage.empty(); });
    if (backups.empty())
        refuse(fmt::format("no backup{} in {}", request.cluster.empty() ? "" : " of cluster " + request.cluster,
                           repository.store().location()),
               "take one with `howdah backup run`, or check --cluster and --repository");
    for (const auto& backup : backups)
        if (backup.root.cluster != backups.front().root.cluster)
            throw Failure(FailureKind::usage,
                          fmt::format("the repository holds several clusters: {} and {} among them", backups.front().root.cluster,
                                      backup.root.cluster),
                          "name one with --cluster; `howdah backup list` shows them");
    const auto newest = std::max_element(backups.begin(), backups.end(),
                                         [](const Backup& a, const Backup& b) { return a.root.stop_time < b.root.stop_time; });
    const auto system = newest->area.system();
    std::erase_if(backups, [&](const Backup& backup) { return backup.area.system() != system; });
    return backups;
}

/// The WAL that recovery will find: the backup's repository's, and what only the others have.
archive::WalArchive wal_of(const repository::Repository& repository, const PlanRequest& request, const Backup& backup) {
    archive::WalArchive wal(repository, backup.area);
    for (const auto* other : request.wal_repositories) wal.read_also(*other);
    return wal;
}

/// The path to a target timeline from a backup, or why there is none.
archive::WalPath path_from(const archive::WalArchive& wal, const Backup& backup, std::optional<base::Timeline> timeline) {
    const auto& root = backup.root;
    try {
        return archive::find_path(wal, root.timeline, root.start, root.stop, timeline, root.wal_segment_size);
    } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::operation) throw;
        throw NoWay(failure.kind(), failure.what(), failure.hint());
    }
}

/// The backup that was asked for by its id.
Backup named(const repository::Repository& repository, const PlanRequest& request) {
    auto backup = repository::find_backup(repository, request.cluster, request.backup_id);
    if (!backup.damage.empty())
        refuse(fmt::format("backup {} is damaged: {}", backup.root.id, backup.damage), "run `howdah backup verify`, choose another");
    if (!serves(backup, request.target))
        refuse(fmt::format("backup {} ended at {} ({}), after the target {}", backup.root.id, base::text(backup.root.stop_time),
                           base::text(backup.root.stop), describe(request.target)),
               "choose an earlier backup, or none so that the right one is chosen");
    return backup;
}

/// The backups that serve the target, newest first; never none.
std::vector<Backup> serving(const repository::Repository& repository, const PlanRequest& request) {
    auto all = candidates(repository, request);
    const auto first = all.front().root;
    std::erase_if(all, [&](const Backup& backup) {
        return !serves(backup, request.target) || (request.timeline && backup.root.timeline > *request.timeline);
    });
    if (all.empty())
        refuse(fmt::format("no backup is complete before the target {}: the earliest one ends at {} ({})", describe(request.target),
                           base::text(first.stop_time), base::text(first.stop)),
               "choose a later target");
    std::reverse(all.begin(), all.end());
    return all;
}

/// Leaves out of the path what lies after an LSN.
void cut_at(archive::WalPath& path, base::Lsn lsn, std::uint64_t segment_size) {
    std::erase_if(path.segments, [&](const std::string& name) {
        const auto segment = postgres::parse_segment_name(name, segment_size);
        return segment && segment->begin(segment_size) > lsn;
    });
}

/// The WAL on the path must reach the target, without a gap.
void require_reach(Plan& plan, const archive::WalArchive& wal) {
    const auto& root = plan.backup.root;
    const auto missing = [&] {
        if (plan.path.first_missing)
            throw NoWay(
                FailureKind::operation,
                fmt::format("WAL segment {} is not in the archive, and the target {} needs it", *plan.path.first_missing,
                            describe(plan.target)),
                fmt::format(
                    "wait until it is archived, if it is the newest; a target up to the segment before it can be reached: --to-lsn, --timeline, or "
                    "--to-backup-end with backup {}",
                    root.id));
    };
    const auto needed_end =
        plan.found ? plan.found->lsn
                   : std::visit(Overloaded{[&](const ToLsn& to) { return std::max(to.lsn, root.stop); },
                                           [&](const ToBackupEnd&) { return root.stop; }, [](const auto&) { return base::Lsn{}; }},
                                plan.target);
    if (needed_end) {
        const auto segment =
            plan.path.first_missing ? postgres::parse_segment_name(*plan.path.first_missing, root.wal_segment_size) : std::nullopt;
        if (segment && segment->begin(root.wal_segment_size) < needed_end) missing();
        // The record that ends recovery at an LSN may be the first of the following segment.
        const bool at_lsn = plan.found || std::holds_alternative<ToLsn>(plan.target);
        cut_at(plan.path, {needed_end.value - 1 + (at_lsn ? root.wal_segment_size : 0)}, root.wal_segment_size);
        plan.path.first_missing.reset();
    }
    plan.commits = archive::commit_span(wal, plan.path, needed_end);
    const auto* time = std::get_if<ToTime>(&plan.target);
    const bool reached_before_gap = time && plan.commits.last && *plan.commits.last > time->time;
    if (const auto& unfinished = plan.commits.unfinished;
        unfinished && !reached_before_gap && (!needed_end || unfinished->end_of_records < needed_end))
        throw NoWay(
            FailureKind::operation, fmt::format("{}; the target {} lies behind it", archive::describe(*unfinished), describe(plan.target)),
            fmt::format("{}; up to it --to-lsn {} reaches, or --to-time before the last commit of it",
                        archive::unfinished_remedy(unfinished->segment), base::text(base::Lsn{unfinished->end_of_records.value - 1})));
    if (reached_before_gap)
        plan.path.first_missing.reset();
    else if (!needed_end)
        missing();
    if (plan.found && plan.commits.end < plan.found->lsn)
        refuse(fmt::format("the end of the record of {} is not archived yet", describe(plan.target)),
               "wait until the next segment is archived (`SELECT pg_switch_wal()` on the server), or use --latest");
    if (const auto* to = std::get_if<ToLsn>(&plan.target); to && plan.commits.end <= to->lsn)
        refuse(
            fmt::format("the target {} lies after the archived WAL, which ends at {}", base::text(to->lsn), base::text(plan.commits.end)),
            "use --latest, or wait until the segment is archived (`howdah backup status`)");
    if (const auto* to = std::get_if<ToTime>(&plan.target); to && (!plan.commits.last || *plan.commits.last <= to->time))
        refuse(
            fmt::format("no commit after the target {} is archived yet: {}", base::text(to->time),
                        plan.commits.last ? "the newest archived commit is of " + base::text(*plan.commits.last)
                                          : "none is archived since the backup"),
            "wait until the server has archived a later commit (archive_timeout, or `SELECT pg_switch_wal()` on it), or use --latest, which recovers everything "
            "there is");
}

/// Tablespaces created by the WAL that may be replayed: rather one too many, since a sandbox is refused for each.
void find_replayed_tablespaces(Plan& plan, const archive::WalArchive& wal) {
    const auto* to_time = std::get_if<ToTime>(&plan.target);
    archive::for_each_trailer(wal, plan.path, [&](const repository::WalTrailer& trailer) {
        if (!trailer.doubt.empty()) plan.doubts.push_back(fmt::format("{}: {}", trailer.segment, trailer.doubt));
        for (const auto& space : trailer.tablespaces)
            if (space.lsn >= plan.backup.root.start && !space.path.empty()) plan.tablespaces.push_back({space.oid, space.path, space.lsn});
        // Recovery to a time ends at a later commit, so whatever stands before that commit in its segment is replayed too.
        return !(to_time && trailer.first_commit_time && *trailer.first_commit_time > to_time->time);
    });
}

/// A name or a transaction that this backup's way does not lead to may lie on an older backup's.
void find_on_path(Plan& plan, const archive::WalArchive& wal) {
    try {
        plan.found = find_target(wal, plan.path, plan.backup.root, plan.target, plan.notes);
    } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::operation) throw;
        throw NoWay(failure.kind(), failure.what(), failure.hint());
    }
}

/// What recovery takes from another repository must go on where the backup's own ends: names alone say nothing when a server was taken
/// back to an earlier state (trap T17).
void require_one_history(const repository::Repository& repository, const PlanRequest& request, const Plan& plan) {
    if (request.wal_repositories.empty() || !base::guard("T17.one_history")) return;
    const archive::WalArchive own(repository, plan.backup.area);
    const auto listed = own.segments();
    const std::set<std::string> there(listed.begin(), listed.end());
    std::vector<archive::WalArchive> others;
    for (const auto* other : request.wal_repositories) others.emplace_back(*other, plan.backup.area);
    archive::Filler filler({}, {}, plan.backup.root.wal_segment_size);
    repository::SealContext context;
    for (const auto& name : plan.path.segments) {
        if (there.contains(name)) continue;
        const auto from = std::find_if(others.begin(), others.end(), [&](const auto& other) { return other.has(name); });
        if (from == others.end()) continue;
        try {
            filler.require_one_history(*from, own, name, context);
        } catch (const Failure& failure) {
            if (failure.kind() != FailureKind::operation) throw;
            throw NoWay(failure.kind(), failure.what(), failure.hint());
        }
    }
}

/// What a restore from this backup does.
Plan plan_from(const repository::Repository& repository, const PlanRequest& request, Backup backup) {
    auto timeline = request.timeline;
    if (!timeline && std::holds_alternative<ToBackupEnd>(request.target)) timeline = backup.root.timeline;
    const archive::WalArchive wal = wal_of(repository, request, backup);
    auto path = path_from(wal, backup, timeline);
    Plan plan{.backup = std::move(backup),
              .target = request.target,
              .timeline = {},
              .found = {},
              .path = std::move(path),
              .commits = {},
              .tablespaces = {},
              .notes = {},
              .doubts = {}};
    plan.timeline = plan.path.legs.back().timeline;
    if (plan.timeline.value > 1 && !wal.history(plan.timeline))
        refuse(fmt::format("the history of timeline {} is not in the archive: {}", base::text(plan.timeline),
                           postgres::history_name(plan.timeline)),
               "without it the server cannot recover to that timeline; push the file from a server's pg_wal with `howdah wal push`");
    find_on_path(plan, wal);
    require_reach(plan, wal);
    require_one_history(repository, request, plan);
    find_replayed_tablespaces(plan, wal);
    return plan;
}

}  // namespace

std::string describe(const Target& target) {
    return std::visit(
        Overloaded{[](const ToLatest&) { return std::string("latest"); },
                   [](const ToBackupEnd&) { return std::string("the backup's end"); }, [](const ToTime& to) { return base::text(to.time); },
                   [](const ToLsn& to) { return base::text(to.lsn); }, [](const ToName& to) { return "restore point " + to.name; },
                   [](const ToXid& to) { return fmt::format("end of transaction {}", to.xid.value); }},
        target);
}

Plan make_plan(const repository::Repository& repository, const PlanRequest& request) {
    if (!request.backup_id.empty()) return plan_from(repository, request, named(repository, request));
    std::exception_ptr first;
    base::Timeline newest_passed_over;
    std::vector<std::string> passed_over;
    for (auto& backup : serving(repository, request)) {
        const auto id = backup.root.id;
        const auto timeline = backup.root.timeline;
        try {
            auto plan = plan_from(repository, request, std::move(backup));
            // Whoever names no timeline wants the newest: an older branch would be a guess.
            const bool named_way = request.timeline || std::holds_alternative<ToBackupEnd>(request.target);
            if (first && !named_way && plan.timeline < newest_passed_over) break;
            plan.notes.insert(plan.notes.begin(), passed_over.begin(), passed_over.end());
            return plan;
        } catch (const NoWay& failure) {
            if (!first) first = std::current_exception();
            newest_passed_over = std::max(newest_passed_over, timeline);
            passed_over.push_back(fmt::format("backup {} was passed over: {}", id, failure.what()));
        }
    }
    std::rethrow_exception(first);
}

}  // namespace howdah::restore
