#include "archive/prove.hpp"

#include <fmt/core.h>

#include "archive/archiving_settings.hpp"
#include "archive/pg_wal.hpp"

namespace howdah::archive {

using base::Failure;
using base::FailureKind;
using postgres::Session;

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kHint = "look into the server's log: archive_command's own message stands there; docs/use/wal.md says what to do";

void refuse_unable(Session& session) {
    const auto settings = read_archiving_settings(session);
    if (settings.in_recovery)
        throw Failure(FailureKind::operation, "archiving cannot be proven on a standby: it cannot switch a segment", "ask the primary");
    if (const auto why = why_not_archiving(settings); !why.empty())
        throw Failure(FailureKind::operation, why,
                      settings.mode == "off" && settings.mode_to_come != "off" ? "restart the server: the new archive_mode waits for it"
                                                                               : "run howdah wal setup");
}

struct ArchiverState {
    std::int64_t failures = 0;
    std::string last_archived, last_failed, failed_at;
    bool fails = false;  ///< The last attempt failed.
};
ArchiverState archiver_state(Session& session) {
    const auto row = session.query(
        "SELECT failed_count, coalesce(last_archived_wal, ''), coalesce(last_failed_wal, ''), coalesce(last_failed_time::text, ''),"
        " coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) FROM pg_stat_archiver");
    return {row.integer(0, 0), std::string(row.text(0, 1)), std::string(row.text(0, 2)), std::string(row.text(0, 3)), row.boolean(0, 4)};
}

/// Whether the archiver itself came as far as the segment: it takes them in order, so that none before it is stuck. The names of .backup
/// and .partial files begin with their segment's; a history's says nothing.
bool archiver_reached(const ArchiverState& state, const std::string& segment) {
    return !state.fails && postgres::classify_wal_file(state.last_archived) != postgres::WalFileKind::history &&
           state.last_archived.compare(0, segment.size(), segment) >= 0;
}

std::string switch_segment(Session& session) {
    session.query("SELECT pg_logical_emit_message(false, 'howdah', 'archiving is being proven')");
    return session.value("SELECT pg_walfile_name(pg_switch_wal())");
}

/// Until the segment is there and the archiver says that it brought it: another push may have run ahead past one that is stuck. One failure
/// may still be of the old archive_command.
void await(Session& session, const WalArchive& archive, const std::string& segment, FolderWatch& watch, Clock::time_point deadline,
           const base::Cancellation& cancellation) {
    constexpr int kFailuresThatCount = 2;
    constexpr std::chrono::milliseconds kLongest{500};
    std::chrono::milliseconds pause{10};
    const ArchiverState before = archiver_state(session);
    for (;;) {
        const bool there = archive.has(segment);
        const ArchiverState now = archiver_state(session);
        if (there && archiver_reached(now, segment)) return;
        if (now.fails && now.failures >= before.failures + kFailuresThatCount)
            throw Failure(FailureKind::operation, fmt::format("archive_command fails: {} at {}", now.last_failed, now.failed_at), kHint);
        if (Clock::now() >= deadline)
            throw Failure(
                FailureKind::operation,
                fmt::format(
                    "{}; {}",
                    there
                        ? fmt::format("WAL segment {} is in the repository, but the server's archiver did not come as far in time", segment)
                        : fmt::format("WAL segment {} did not reach the repository in time", segment),
                    now.last_failed.empty() ? "archive_command never failed" : "archive_command last failed for " + now.last_failed),
                kHint);
        watch.wait(pause, cancellation);
        cancellation.check("waiting for the archived segment");
        pause = std::min(2 * pause, kLongest);
    }
}

}  // namespace

ArchiveProof prove_archiving(Session& session, const WalArchive& archive, const std::filesystem::path& data_directory, base::Duration wait,
                             const base::Cancellation& cancellation) {
    refuse_unable(session);
    FolderWatch watch(data_directory / "pg_wal" / "archive_status");
    const auto start = Clock::now();
    ArchiveProof proof;
    proof.segment = switch_segment(session);
    await(session, archive, proof.segment, watch, start + wait, cancellation);
    archive.trailer(proof.segment);
    proof.time = std::chrono::duration_cast<base::Duration>(Clock::now() - start);
    return proof;
}

}  // namespace howdah::archive
