#include "backup/run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "archive/archiving_settings.hpp"
#include "archive/changed_blocks.hpp"
#include "archive/filler.hpp"
#include "archive/push.hpp"
#include "archive/summaries.hpp"
#include "archive/wal_archive.hpp"
#include "backup/audit.hpp"
#include "backup/compare.hpp"
#include "backup/copy.hpp"
#include "backup/file_list.hpp"
#include "backup/file_plan.hpp"
#include "backup/manifest_writer.hpp"
#include "backup/outside_files.hpp"
#include "backup/parent.hpp"
#include "backup/source.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/progress.hpp"
#include "base/random.hpp"
#include "postgres/backup_label.hpp"
#include "repository/backups.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/pack_writer.hpp"

namespace howdah::backup {

namespace {

using repository::FileEntry;
using repository::Root;

struct Listing {
    FileList files;
    OutsideFiles outside;
};

Listing list_everything(Source& source, const base::Cancellation& cancellation) {
    Listing listing;
    const auto& control = source.control;
    const auto statistics = control.major < 15 ? postgres::read_setting(*source.session, "stats_temp_directory") : std::nullopt;
    listing.files = list_files(source.data_directory, control.catalog_version, control.major, control.segment_blocks,
                               statistics ? statistics->value : std::string(), cancellation);
    listing.outside = find_outside_files(*source.session, source.facts, source.data_directory);
    auto& files = listing.files.files;
    for (const auto& file : listing.outside.listed) {
        files.push_back(file);
        listing.files.bytes += file.size;
    }
    std::sort(files.begin(), files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
    return listing;
}

/// pg_control as it is after every other file was read (trap T13), in a small pack of its own.
FileEntry copy_control(const Source& source, const repository::Repository& repository, const repository::ClusterArea& area,
                       const CopyOptions& options, Root& root) {
    std::string bytes;
    postgres::read_control_file(source.data_directory, &bytes);
    FileEntry entry;
    entry.path = "global/pg_control";
    entry.size = bytes.size();
    repository::PackWriter pack(repository, area, options.compression_level);
    pack.add_small(base::as_bytes(bytes), entry.extents);
    pack.finish();
    root.stored_bytes += pack.stored();
    root.bytes_read += {entry.size};
    return entry;
}

void describe_cluster(Root& root, const Source& source) {
    root.system_identifier = source.control.system_identifier;
    root.server_version = source.facts.version;
    root.catalog_version = source.control.catalog_version;
    root.control_version = source.control.control_version;
    root.wal_segment_size = source.control.wal_segment_size;
    root.block_size = source.control.block_size;
    root.data_checksum_version = source.control.data_checksum_version;
    root.program_version = HOWDAH_VERSION;
    root.host = base::host_name();
}

/// Start, stop and the WAL between them. The label is what the server says, so it is what the segments are computed from.
void describe_span(Root& root, const postgres::BackupStarted& started, const postgres::BackupStopped& stopped) {
    const auto label = postgres::parse_backup_label(stopped.backup_label);
    root.timeline = label.timeline;
    root.start = label.start;
    root.stop = stopped.stop;
    root.start_time = started.time;
    root.stop_time = stopped.time;
    root.from_standby = label.from_standby;
    root.backup_label = stopped.backup_label;
    root.tablespace_map = stopped.tablespace_map;
    root.first_segment = postgres::segment_at(root.timeline, root.start, root.wal_segment_size).name(root.wal_segment_size);
    root.last_segment = postgres::segment_at(root.timeline, {root.stop.value - 1}, root.wal_segment_size).name(root.wal_segment_size);
}

void describe_tablespaces(Root& root, postgres::Session& session) {
    for (const auto& space : postgres::read_tablespaces(session))
        if (space.in_place || !space.location.empty())
            root.tablespaces.push_back({.oid = space.oid, .name = space.name, .location = space.in_place ? std::string() : space.location});
}

/// A tablespace dropped while the backup ran, or a link left behind, has no row any more; a restore must map its link all the same.
void describe_orphaned_links(Root& root, const std::vector<ListedFile>& files) {
    constexpr std::string_view kSpaces = "pg_tblspc/";
    for (const auto& file : files) {
        if (file.type != repository::EntryType::symlink || !file.path.starts_with(kSpaces)) continue;
        const auto oid = static_cast<std::uint32_t>(std::strtoul(file.path.c_str() + kSpaces.size(), nullptr, 10));
        const auto known =
            std::find_if(root.tablespaces.begin(), root.tablespaces.end(), [&](const auto& space) { return space.oid == oid; });
        if (known == root.tablespaces.end())
            root.tablespaces.push_back({.oid = oid, .name = std::to_string(oid), .location = file.link_target});
    }
}

void describe_bad_pages(BackupResult& result, const FileEntry& entry) {
    for (const auto& page : entry.bad_pages)
        result.bad_pages.push_back(
            fmt::format("{} block {}: checksum {:04x} expected, {:04x} found", entry.path, page.block, page.expected, page.found));
}

/// Stores the trees of everything that was copied, and counts it into the root.
void write_manifest(BackupResult& result, const repository::Repository& repository, const repository::ClusterArea& area,
                    const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, std::vector<Piece> pieces,
                    FileEntry control) {
    auto& root = result.root;
    ManifestWriter manifest(repository, area);
    bool control_added = false;
    const auto add_control = [&] {
        if (!std::exchange(control_added, true)) manifest.add(control);
    };
    const auto joined = join_pieces(files, plans, std::move(pieces), [&](FileEntry entry) {
        if (entry.path > control.path) add_control();
        describe_bad_pages(result, entry);
        manifest.add(std::move(entry));
    });
    add_control();
    for (const auto& file : joined.hurried)
        result.warnings.push_back(fmt::format(
            "{} with a wrong checksum not looked at again for the full time, since so many are wrong: a page that was just being "
            "written may be among them",
            file));
    auto trees = manifest.finish();
    root.files = joined.files + 1;
    root.bytes = joined.bytes + base::Bytes{control.size};
    root.bad_pages = joined.bad_pages;
    root.vanished_files = joined.vanished;
    root.trees = std::move(trees.references);
    root.stored_bytes += trees.stored;
}

std::string make_id(base::Timestamp time) {
    auto stamp = base::text(base::Timestamp(std::chrono::floor<std::chrono::seconds>(time)));
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    return stamp + "-" + base::random_hex(2);
}

unsigned worker_count(unsigned wished) { return wished ? wished : std::max(1u, std::thread::hardware_concurrency()); }

/// The stop WAL must be in the archive before the backup counts (trap T15).
void await_wal(const Source& source, const repository::Repository& repository, const repository::ClusterArea& area, const Root& root,
               const CopyOptions& options, const std::vector<base::RepositoryConfig>& others, const base::Cancellation& cancellation) {
    if (!base::guard("T15.await_stop_wal")) return;
    archive::WalArchive wal(repository, area);
    const auto size = root.wal_segment_size;
    archive::ensure_archived(wal, source.data_directory, *postgres::parse_segment_name(root.first_segment, size),
                             *postgres::parse_segment_name(root.last_segment, size), size, options.compression_level, options.jobs,
                             cancellation, std::chrono::minutes(1),
                             [&](const std::string& name) { return archive::fill_from_others(others, wal, name, size); });
}

/// What a tool does that takes a lost session lightly: a second backup begun after the copy gives a label that starts too late. The
/// server forgets a backup with the session that began it, so that losing it must fail this one (trap T14).
void begin_again(Source& source, const BackupOptions& options) {
    source.session = std::make_unique<postgres::Session>(source.conninfo);
    postgres::start_backup(*source.session, options.label, true);
}

/// What an incremental reads: the plans for the listed files, after those that the WAL tells nothing of were compared.
struct Incremental {
    std::vector<FilePlan> plans;
    base::Bytes compared;
};

/// The backup to build upon; none, and a warning why, when there is none: then the backup is a full one.
ParentChoice choose(BackupResult& result, const Source& source, const repository::Repository& repository,
                    const repository::ClusterArea& area, base::Timeline timeline, const BackupOptions& options) {
    auto choice = choose_parent(repository, area, source, timeline, options.parent);
    if (choice.parent) {
        result.root.type = "incr";
        result.root.parent = choice.parent->root.id;
        result.root.alarm = choice.alarm;
    } else {
        result.warnings.push_back(choice.why_none + ": this backup is a full one");
    }
    return choice;
}

/// Up to where the WAL is whole in pg_wal, now: a message of no meaning is written and flushed, and a record begins behind it.
base::Lsn flushed_now(postgres::Session& session) {
    session.query("SET synchronous_commit = local");
    return base::parse_lsn(session.value("SELECT pg_catalog.pg_logical_emit_message(true, 'howdah', 'audit')")).value();
}

/// Reads a share of what the plans keep, and doubts the changes when a page differs of which no WAL tells, up to this moment.
base::Bytes audit_plans(BackupResult& result, const Source& source, const repository::Repository& repository,
                        const repository::ClusterArea& area, const postgres::BackupStarted& started, const FileList& files,
                        const std::vector<FilePlan>& plans, const BackupOptions& options, const CopyOptions& copying,
                        postgres::BlockChanges& changes, const base::Cancellation& cancellation) {
    auto found = audit_kept(repository, area, files, plans,
                            {.percent = static_cast<double>(options.audit_percent),
                             .seed = std::random_device()(),
                             .jobs = copying.jobs,
                             .limit = copying.limit},
                            cancellation);
    auto& audit = result.audit.emplace(BackupResult::Audit{options.audit_percent, found.pages, {}});
    if (found.differ.empty()) return found.read;
    const archive::WalStretch stretch{
        started.timeline, started.start, started.start, started.timeline, flushed_now(*source.session), source.control.wal_segment_size};
    archive::WalArchive wal(repository, area);
    const auto since = archive::changed_blocks(wal, source.data_directory, stretch,
                                               {.compression_level = options.compression_level, .jobs = options.jobs}, cancellation);
    if (since.changes.doubted())
        result.warnings.push_back(fmt::format("the audit cannot say of {} page(s) whether they changed meanwhile: {}", found.differ.size(),
                                              since.changes.doubts().front().text));
    audit.differ = unexplained(found.differ, files.files, since.changes);
    result.root.unlogged_changes = audit.differ.size();
    for (const auto& page : audit.differ)
        changes.doubt({postgres::DoubtKind::unknown_record, fmt::format("audit: {} differs, of which WAL tells nothing", page), {}});
    return found.read;
}

std::vector<FilePlan> plan_files(const repository::Repository& repository, const repository::Backup& parent,
                                 const std::vector<ListedFile>& files, const postgres::BlockChanges& changes) {
    FilePlanner planner(files, changes);
    read_files(repository, parent, [&](const std::string& path, FileEntry& entry) { planner.add(path, std::move(entry)); });
    return planner.take();
}

std::optional<Incremental> plan_incremental(BackupResult& result, const Source& source, const repository::Repository& repository,
                                            const repository::ClusterArea& area, const postgres::BackupStarted& started,
                                            const Listing& listing, const BackupOptions& options, const CopyOptions& copying,
                                            const base::Cancellation& cancellation) {
    const auto choice = choose(result, source, repository, area, started.timeline, options);
    const auto& parent = choice.parent;
    if (!parent) return std::nullopt;
    Incremental incremental;
    const Root& then = parent->root;
    archive::WalArchive wal(repository, area);
    // From the start of the parent, as what changed while it was copied may be in it or not (trap T1).
    const bool from_start = base::guard("T1.from_start");
    const archive::WalStretch stretch{then.timeline,        from_start ? then.start : then.stop, then.stop, started.timeline, started.start,
                                      then.wal_segment_size};
    auto changed = archive::changed_blocks(wal, source.data_directory, stretch,
                                           {.compression_level = options.compression_level, .jobs = options.jobs}, cancellation);
    base::fault_point("backup.changes_read");
    if (!choice.alarm.empty())
        changed.changes.doubt(
            {postgres::DoubtKind::unknown_record,
             fmt::format("the audit of backup {} found changes without WAL: WAL is believed again after a full backup", choice.alarm),
             {}});
    incremental.plans = plan_files(repository, *parent, listing.files.files, changed.changes);
    if (options.audit_percent > 0 && !changed.changes.doubted()) {
        incremental.compared = audit_plans(result, source, repository, area, started, listing.files, incremental.plans, options, copying,
                                           changed.changes, cancellation);
        if (changed.changes.doubted()) incremental.plans = plan_files(repository, *parent, listing.files.files, changed.changes);
    }
    archive::write_summary(wal, {started.timeline, stretch.from, stretch.to}, changed.changes);
    for (const auto& doubt : changed.changes.doubts()) result.root.fallback.push_back(doubt.text);
    if (changed.changes.doubts_left_out() > 0)
        result.root.fallback.push_back(fmt::format("and {} more", changed.changes.doubts_left_out()));
    incremental.compared += compare_files(repository, area, listing.files, incremental.plans, copying, cancellation);
    base::fault_point("backup.compared");
    return incremental;
}

/// Bytes that the copy will read.
std::uint64_t bytes_to_read(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (plans.empty() || plans[i].kind != FilePlan::Kind::parts)
            sum += files[i].size;
        else
            for (const auto& part : plans[i].read) sum += part.length();
    }
    return sum;
}

/// Everything between taking the lease and releasing it.
void take(BackupResult& result, Source& source, const repository::Repository& repository, const repository::ClusterArea& area,
          const BackupOptions& options, repository::Lease& lease, const base::Cancellation& cancellation) {
    const auto clock = std::chrono::steady_clock::now();
    auto& root = result.root;
    base::RateLimit limit(options.limit);
    const CopyOptions copying{.jobs = worker_count(options.jobs),
                              .compression_level = options.compression_level,
                              .verify_pages = source.control.data_checksum_version == 1,
                              .limit = options.limit ? &limit : nullptr};

    const auto started = postgres::start_backup(*source.session, options.label, !options.checkpoint_spread);
    require_started_here(source, started);
    base::fault_point("backup.started");
    auto listing = list_everything(source, cancellation);
    result.warnings.insert(result.warnings.end(), listing.files.warnings.begin(), listing.files.warnings.end());
    result.warnings.insert(result.warnings.end(), listing.outside.warnings.begin(), listing.outside.warnings.end());
    base::fault_point("backup.listed");

    std::optional<Incremental> incremental;
    if (options.incremental)
        incremental = plan_incremental(result, source, repository, area, started, listing, options, copying, cancellation);
    const std::vector<FilePlan> whole;
    const auto& plans = incremental ? incremental->plans : whole;
    base::Progress progress("copying", {bytes_to_read(listing.files.files, plans)}, base::progress_allowed());
    auto copied = copy_files(repository, area, listing.files, plans, copying, progress, cancellation);
    root.bytes_read = copied.read;
    if (incremental) root.bytes_read += incremental->compared;
    root.stored_bytes = copied.stored;
    base::fault_point("backup.copied");
    base::pause_point("backup.copied", area.prefix());
    auto control = copy_control(source, repository, area, copying, root);
    base::fault_point("backup.control_copied");
    if (!base::guard("T14.same_session")) begin_again(source, options);
    describe_tablespaces(root, *source.session);
    describe_orphaned_links(root, listing.files.files);

    const auto stopped = postgres::stop_backup(*source.session);
    base::fault_point("backup.stopped");
    describe_span(root, started, stopped);
    root.id = make_id(started.time);
    await_wal(source, repository, area, root, copying, options.wal_repositories, cancellation);
    base::fault_point("backup.wal_archived");

    root.outside = std::move(listing.outside.named);
    write_manifest(result, repository, area, listing.files.files, plans, std::move(copied.pieces), std::move(control));
    base::fault_point("backup.trees_written");
    root.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - clock).count();
    repository::publish_backup(repository, area, root, [&] { lease.confirm(); });
    result.published = true;
    base::fault_point("backup.published");
}

}  // namespace

BackupResult run_backup(const base::ClusterConfig& cluster, const repository::Repository& repository, const BackupOptions& options,
                        const base::Cancellation& cancellation) {
    BackupResult result;
    auto source = open_source(cluster, cancellation);
    require_backup_possible(source);
    result.root.type = "full";
    result.root.cluster = cluster.name;
    describe_cluster(result.root, source);
    // Such a backup is whole, but nothing leads beyond it.
    if (const auto why = archive::why_not_archiving(archive::read_archiving_settings(*source.session)); !why.empty())
        result.warnings.push_back(why + ": no restore will reach beyond this backup's end; run `howdah wal setup`");
    const repository::ClusterArea area(cluster.name, source.control.system_identifier);
    if (options.dry_run) {
        const auto listing = list_everything(source, cancellation);
        result.root.files = listing.files.files.size();
        result.root.bytes = {listing.files.bytes};
        result.warnings.insert(result.warnings.end(), listing.files.warnings.begin(), listing.files.warnings.end());
        if (options.incremental) choose(result, source, repository, area, source.control.timeline, options);
        return result;
    }
    repository::Lease lease(repository, area.lease_prefix(), "backup run", cancellation);
    base::fault_point("backup.lease_taken");
    base::pause_point("backup.lease_taken", area.prefix());
    take(result, source, repository, area, options, lease, cancellation);
    repository::write_ledger(repository);
    base::fault_point("backup.ledger_written");
    lease.release();
    base::fault_point("backup.lease_released");
    return result;
}

}  // namespace howdah::backup
