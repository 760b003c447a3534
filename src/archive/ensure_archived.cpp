#include <fmt/core.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <set>

#include "archive/file_pusher.hpp"
#include "archive/push.hpp"
#include "archive/unfinished.hpp"
#include "archive/workers.hpp"
#include "base/hooks.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

namespace {

/// Archived under their names, while the server still waits for that: they may be another server's, or this one's from a time that it was
/// taken back from (a snapshot of its machine). Pushing them again compares them.
std::vector<std::string> unconfirmed(const WalArchive& archive, const fs::path& data_directory, postgres::WalSegment first,
                                     postgres::WalSegment last, std::uint64_t segment_size) {
    std::vector<std::string> names;
    if (!base::guard("T15.own_wal")) return names;
    for (const auto& name : ready_files(data_directory)) {
        const auto segment = postgres::parse_segment_name(name, segment_size);
        std::error_code error;
        if (segment && segment->timeline == first.timeline && first <= *segment && *segment <= last && archive.has(name) &&
            fs::exists(data_directory / "pg_wal" / name, error))
            names.push_back(name);
    }
    return names;
}

std::vector<postgres::WalSegment> not_archived(const WalArchive& archive, postgres::WalSegment first, postgres::WalSegment last,
                                               std::uint64_t segment_size) {
    const auto there = archive.segments(first.timeline);
    const std::set<std::string> names(there.begin(), there.end());
    std::vector<postgres::WalSegment> missing;
    for (postgres::WalSegment segment = first; segment <= last; segment = segment.next())
        if (!names.contains(segment.name(segment_size))) missing.push_back(segment);
    return missing;
}

/// The server removes a segment once its own archive_command archived it, perhaps just now.
void push_unless_gone(WalArchive& archive, FilePusher& pusher, const fs::path& pg_wal, const std::string& name, PushWorker& worker) {
    try {
        pusher.push(name, worker, archive);
    } catch (const Failure&) {
        std::error_code error;
        if (fs::exists(pg_wal / name, error) || error || !archive.has(name)) throw;
    }
}

/// Pushes by several threads; the first failure stops all and is thrown.
void push_all(WalArchive& archive, const fs::path& pg_wal, const std::vector<std::string>& names, std::uint64_t segment_size,
              int compression_level, unsigned jobs, const base::Cancellation& cancellation) {
    FilePusher pusher(pg_wal);
    std::atomic<std::size_t> taken{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::exception_ptr failure;
    run_workers(worker_count(jobs, names.size(), segment_size), [&] {
        try {
            PushWorker worker(compression_level);
            for (std::size_t place = taken++; place < names.size() && !stop; place = taken++) {
                cancellation.check("archiving WAL");
                push_unless_gone(archive, pusher, pg_wal, names[place], worker);
            }
        } catch (...) {
            stop = true;
            std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
}

/// What was archived before may be a copy from before the segment was finished.
void refuse_unfinished(const WalArchive& archive, postgres::WalSegment first, postgres::WalSegment last, std::uint64_t segment_size) {
    for (postgres::WalSegment segment = first; segment <= last; segment = segment.next()) {
        const auto trailer = archive.trailer(segment.name(segment_size));
        if (!trailer || !is_unfinished(*trailer)) continue;
        throw Failure(FailureKind::operation, describe({trailer->segment, trailer->end_of_records}), unfinished_remedy(trailer->segment));
    }
}

}  // namespace

void ensure_archived(WalArchive& archive, const fs::path& data_directory, postgres::WalSegment first, postgres::WalSegment last,
                     std::uint64_t segment_size, int compression_level, unsigned jobs, const base::Cancellation& cancellation,
                     base::Duration wait, const std::function<bool(const std::string& name)>& elsewhere) {
    constexpr std::chrono::milliseconds kLongestWait{500};  // A backend may finish a segment without a mark when archive_mode is off.
    const auto deadline = std::chrono::steady_clock::now() + wait;
    FolderWatch watch(data_directory / "pg_wal" / "archive_status");
    push_all(archive, data_directory / "pg_wal", unconfirmed(archive, data_directory, first, last, segment_size), segment_size,
             compression_level, jobs, cancellation);
    for (;;) {
        std::vector<std::string> complete;
        for (const auto& segment : not_archived(archive, first, last, segment_size))
            if (segment_complete(data_directory, segment, segment_size)) complete.push_back(segment.name(segment_size));
        push_all(archive, data_directory / "pg_wal", complete, segment_size, compression_level, jobs, cancellation);
        const auto missing = not_archived(archive, first, last, segment_size);
        if (missing.empty()) return refuse_unfinished(archive, first, last, segment_size);
        const std::string name = missing.front().name(segment_size);
        std::error_code error;
        const bool there = fs::exists(data_directory / "pg_wal" / name, error);
        if (!there && !archive.has(name) && elsewhere && elsewhere(name)) continue;
        if (!there && !archive.has(name))
            throw Failure(FailureKind::operation,
                          fmt::format("WAL segment {} is neither archived nor in {}/pg_wal", name, data_directory.string()),
                          "it was removed before it was archived: run howdah wal setup so that the server keeps WAL until it is archived");
        if (std::chrono::steady_clock::now() >= deadline)
            throw Failure(FailureKind::operation, fmt::format("WAL segment {} was not complete after {}", name, base::text_duration(wait)),
                          "on an idle server a segment ends only by pg_switch_wal() or archive_timeout");
        watch.wait(kLongestWait, cancellation);
        cancellation.check("waiting for WAL");
    }
}

}  // namespace howdah::archive
