#include "archive/file_pusher.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include "base/file.hpp"
#include "base/hooks.hpp"

namespace howdah::archive {

using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;

namespace {

constexpr std::uint64_t kLargestSegment = 1u << 30;

FileStamp read_whole(const std::filesystem::path& path, std::vector<std::byte>& buffer) {
    const base::File file = base::File::open(path, O_RDONLY);
    struct stat status{};
    if (::fstat(file.descriptor(), &status) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot look at {}", path.string()), errno);
    const FileStamp stamp = stamp_of(status);
    if (stamp.size > kLargestSegment)
        throw Failure(FailureKind::operation, fmt::format("{} is no WAL segment: it has {} bytes", path.string(), stamp.size),
                      "a segment has at most 1 GiB");
    buffer.resize(stamp.size);
    if (const std::size_t got = file.read_at(buffer, 0); got != stamp.size)
        throw Failure(FailureKind::operation, fmt::format("{} shrank while it was read: {} of {} bytes", path.string(), got, stamp.size),
                      "something else than PostgreSQL writes into pg_wal");
    return stamp;
}

}  // namespace

PushedFile FilePusher::push(const std::string& name, PushWorker& worker, bool replace_unfinished) {
    switch (postgres::classify_wal_file(name)) {
        case WalFileKind::history: return push_history(name);
        case WalFileKind::segment:
        case WalFileKind::partial: break;
        default: throw Failure(FailureKind::usage, fmt::format("not a WAL file: '{}'", name), "archive_command gives wal push its %p");
    }
    if (base::guard("T17.history_first")) push_history_of({static_cast<std::uint32_t>(std::stoul(name.substr(0, 8), nullptr, 16))});
    base::fault_point("wal_push.before_read");
    PushedFile pushed;
    pushed.stamp = read_whole(pg_wal_ / name, worker.buffer);
    pushed.bytes = {pushed.stamp.size};
    base::fault_point("wal_push.after_read");
    if (replace_unfinished && archive_->remove_unfinished(name, worker.buffer, worker.context)) base::fault_point("wal_push.after_remove");
    pushed.stored = archive_->put_segment(name, worker.buffer, worker.context, &pushed.stored_bytes);
    base::fault_point("wal_push.after_put");
    return pushed;
}

PushedFile FilePusher::push_history(const std::string& name) {
    PushedFile pushed;
    const std::string text = base::read_file(pg_wal_ / name);
    pushed.stamp = stamp_of(pg_wal_ / name);
    pushed.bytes = {text.size()};
    pushed.stored = archive_->put_history(name, text);
    base::fault_point("wal_push.after_history");
    return pushed;
}

void FilePusher::push_history_of(base::Timeline timeline) {
    if (timeline.value <= 1) return;
    std::lock_guard lock(mutex_);
    if (histories_done_.contains(timeline)) return;
    const std::string name = postgres::history_name(timeline);
    if (const auto text = base::read_file_if_exists(pg_wal_ / name)) {
        archive_->put_history(name, *text);
        base::fault_point("wal_push.after_history");
    }
    histories_done_.insert(timeline);
}

}  // namespace howdah::archive
