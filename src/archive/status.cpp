#include "archive/status.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "archive/archiving_settings.hpp"
#include "archive/pg_wal.hpp"
#include "base/log.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using postgres::Session;

namespace {

base::Timestamp modified(const fs::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return base::Timestamp::max();  // Archived meanwhile.
    return base::Timestamp(std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
}

std::optional<std::string> text_or_none(const postgres::Rows& rows, std::size_t column) {
    if (rows.is_null(0, column)) return std::nullopt;
    return std::string(rows.text(0, column));
}

void ask_archiver(WalStatus& status, Session& session) {
    const auto row = session.query(
        "SELECT last_archived_wal, (extract(epoch FROM last_archived_time) * 1000000)::bigint, failed_count, last_failed_wal, coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) FROM pg_stat_archiver");
    status.last_archived = text_or_none(row, 0);
    if (!row.is_null(0, 1)) status.last_archived_time = base::Timestamp(std::chrono::microseconds(row.integer(0, 1)));
    status.failures = static_cast<std::uint64_t>(row.integer(0, 2));
    status.last_failed = text_or_none(row, 3);
    status.archiver_fails = row.boolean(0, 4);
}

base::Lsn current_lsn(Session& session) {
    const auto row = session.query("SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END");
    return base::parse_lsn(row.text(0, 0)).value_or(base::Lsn{});
}

double seconds_of(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

void measure_rate(WalStatus& status, Session& session, std::chrono::milliseconds sample, const base::Cancellation& cancellation) {
    const auto begin = std::chrono::steady_clock::now();
    const base::Lsn before = current_lsn(session);
    cancellation.sleep(sample);
    status.current = current_lsn(session);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const auto row =
        session.query("SELECT wal_bytes::float8, coalesce(extract(epoch FROM now() - stats_reset), 0)::float8 FROM pg_stat_wal");
    const double recent = seconds > 0 ? static_cast<double>(status.current.value - before.value) / seconds : 0;
    const double mean = row.real(0, 0) / std::max(row.real(0, 1), 1.0);
    status.bytes_per_second = std::max(recent, mean);
    if (row.real(0, 1) >= seconds_of(kForecastBasis)) status.lasting_rate = mean;
}

/// What was written since the oldest waiting file was finished.
void measure_backlog_rate(WalStatus& status) {
    if (!status.backlog || !status.backlog->oldest_age || *status.backlog->oldest_age < kForecastBasis || !status.segment_size) return;
    const auto oldest = postgres::parse_segment_name(status.backlog->oldest, status.segment_size);
    if (!oldest || status.current <= oldest->end(status.segment_size)) return;
    const double rate =
        static_cast<double>(status.current.value - oldest->end(status.segment_size).value) / seconds_of(*status.backlog->oldest_age);
    status.lasting_rate = std::max(rate, status.lasting_rate.value_or(0));
}

base::Timeline timeline_of(Session& session) {
    return {static_cast<std::uint32_t>(session.query("SELECT timeline_id FROM pg_control_checkpoint()").integer(0, 0))};
}

void measure_lag(WalStatus& status, base::Timeline timeline) {
    for (const WalRange& range : status.ranges)
        if (range.last.timeline == timeline) status.archived_to = range.last.end(status.segment_size);
    if (status.current > status.archived_to) status.lag = {status.current.value - status.archived_to.value};
}

void look_at_disk(WalStatus& status, const fs::path& data_directory) {
    try {
        status.backlog = read_backlog(data_directory);
        if (status.last_failed && status.backlog->oldest == *status.last_failed) status.archiver_fails = true;
        status.wal_disk = base::space_of(data_directory / "pg_wal");
    } catch (const base::Failure& failure) {
        base::log_debug("the data directory cannot be read: {}", failure.what());
        return;
    }
    constexpr double kForever = 3.0e9;  // A century: below that a duration holds it.
    measure_backlog_rate(status);
    const double rate = status.lasting_rate.value_or(0);
    const double seconds = rate > 0 ? static_cast<double>(status.wal_disk->available.count) / rate : kForever;
    if (seconds < kForever) status.until_full = base::Duration(static_cast<std::int64_t>(seconds * 1e6));
}

}  // namespace

Backlog read_backlog(const fs::path& data_directory) {
    Backlog backlog;
    base::Timestamp oldest = base::Timestamp::max();
    for (const std::string& name : ready_files(data_directory)) {
        if (++backlog.ready == 1) backlog.oldest = name;
        oldest = std::min(oldest, modified(data_directory / "pg_wal" / "archive_status" / (name + ".ready")));
    }
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    if (oldest != base::Timestamp::max()) backlog.oldest_age = std::max(base::Duration{}, now - oldest);
    return backlog;
}

WalStatus read_wal_status(Session* session, const WalArchive& archive, const fs::path& data_directory, std::chrono::milliseconds sample,
                          const base::Cancellation& cancellation) {
    WalStatus status;
    status.segment_size = archive.segment_size().value_or(0);
    if (status.segment_size) {
        status.ranges = archive.ranges(status.segment_size);
        status.gaps = find_gaps(archive, status.segment_size);
    }
    if (session) {
        ask_archiver(status, *session);
        status.not_archiving = why_not_archiving(read_archiving_settings(*session));
        measure_rate(status, *session, sample, cancellation);
        measure_lag(status, timeline_of(*session));
    }
    if (!data_directory.empty()) look_at_disk(status, data_directory);
    return status;
}

}  // namespace howdah::archive
