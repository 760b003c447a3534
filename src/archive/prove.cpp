#include "archive/prove.hpp"

#include <fmt/core.h>

#include "archive/pg_wal.hpp"

namespace howdah::archive {

using base::Failure;
using base::FailureKind;
using postgres::Session;

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kHint = "look into the server's log: archive_command's own message stands there";

void refuse_unable(Session& session) {
    const auto row = session.query("SELECT pg_is_in_recovery(), current_setting('archive_mode'), "
                                   "(SELECT pending_restart FROM pg_settings WHERE name = 'archive_mode')");
    if (row.boolean(0, 0)) throw Failure(FailureKind::operation, "archiving cannot be proven on a standby: it cannot switch a segment", "ask the primary");
    if (row.text(0, 1) == "off")
        throw Failure(FailureKind::operation, "archiving is off: archive_mode = off",
                      row.boolean(0, 2) ? "restart the server: the new archive_mode waits for it" : "run howdah wal setup");
}

struct ArchiverState {
    std::int64_t failures = 0;
    std::string last_failed, failed_at;
};
ArchiverState archiver_state(Session& session) {
    const auto row = session.query("SELECT failed_count, coalesce(last_failed_wal, ''), coalesce(last_failed_time::text, '') FROM pg_stat_archiver");
    return {row.integer(0, 0), std::string(row.text(0, 1)), std::string(row.text(0, 2))};
}

std::string switch_segment(Session& session) {
    session.query("SELECT pg_logical_emit_message(false, 'howdah', 'archiving is being proven')");
    return session.value("SELECT pg_walfile_name(pg_switch_wal())");
}

/// Until the segment is there. The archiver's failures are looked at once a second; one alone may still be of the old archive_command.
void await(Session& session, const WalArchive& archive, const std::string& segment, FolderWatch& watch, Clock::time_point deadline,
           const base::Cancellation& cancellation) {
    constexpr int kFailuresThatCount = 2;
    constexpr std::chrono::milliseconds kLongest{500};
    std::chrono::milliseconds pause{10};
    const ArchiverState before = archiver_state(session);
    auto look_again = Clock::now() + std::chrono::seconds(1);
    while (!archive.has(segment)) {
        if (Clock::now() >= look_again) {
            const ArchiverState now = archiver_state(session);
            if (now.failures >= before.failures + kFailuresThatCount)
                throw Failure(FailureKind::operation, fmt::format("archive_command fails: {} at {}", now.last_failed, now.failed_at), kHint);
            look_again = Clock::now() + std::chrono::seconds(1);
        }
        if (Clock::now() >= deadline) {
            const ArchiverState now = archiver_state(session);
            throw Failure(FailureKind::operation,
                          fmt::format("WAL segment {} did not reach the repository in time; archive_command last failed for: {}", segment,
                                      now.last_failed.empty() ? "none" : now.last_failed),
                          kHint);
        }
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
