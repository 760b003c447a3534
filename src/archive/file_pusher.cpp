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

FileStamp read_whole(const std::filesystem::path& path, SegmentBuffer& buffer) {
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

PushedFile FilePusher::push(const std::string& name, PushWorker& worker, std::span<WalArchive* const> archives, bool replace_unfinished) {
    PushedFile pushed;
    pushed.results.resize(archives.size());
    switch (postgres::classify_wal_file(name)) {
        case WalFileKind::history: push_history(name, archives, pushed); return pushed;
        case WalFileKind::segment:
        case WalFileKind::partial: break;
        default: throw Failure(FailureKind::usage, fmt::format("not a WAL file: '{}'", name), "archive_command gives wal push its %p");
    }
    const base::Timeline timeline{static_cast<std::uint32_t>(std::stoul(name.substr(0, 8), nullptr, 16))};
    if (base::guard("T17.history_first"))
        for_each_sound(archives, pushed.results, [&](WalArchive& archive, PutResult&) { push_history_of(timeline, archive); });
    base::fault_point("wal_push.before_read");
    pushed.stamp = read_whole(pg_wal_ / name, worker.buffer);
    pushed.bytes = {pushed.stamp.size};
    base::fault_point("wal_push.after_read");
    if (replace_unfinished)
        for_each_sound(archives, pushed.results, [&](WalArchive& archive, PutResult&) {
            if (archive.remove_unfinished(name, worker.buffer, worker.context)) base::fault_point("wal_push.after_remove");
        });
    std::vector<WalArchive*> sound;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < archives.size(); ++i)
        if (!pushed.results[i].failure) {
            sound.push_back(archives[i]);
            places.push_back(i);
        }
    const auto results = put_everywhere(sound, name, worker.buffer, worker.context, &pushed.stored_bytes);
    for (std::size_t i = 0; i < places.size(); ++i) pushed.results[places[i]] = results[i];
    base::fault_point("wal_push.after_put");
    return pushed;
}

PushedFile FilePusher::push(const std::string& name, PushWorker& worker, WalArchive& archive) {
    WalArchive* const only = &archive;
    PushedFile pushed = push(name, worker, std::span(&only, 1));
    if (pushed.results.front().failure) std::rethrow_exception(pushed.results.front().failure);
    return pushed;
}

void FilePusher::push_history(const std::string& name, std::span<WalArchive* const> archives, PushedFile& pushed) {
    const std::string text = base::read_file(pg_wal_ / name);
    pushed.stamp = stamp_of(pg_wal_ / name);
    pushed.bytes = {text.size()};
    for_each_sound(archives, pushed.results,
                   [&](WalArchive& archive, PutResult& result) { result.stored = archive.put_history(name, text); });
    base::fault_point("wal_push.after_history");
}

void FilePusher::push_history_of(base::Timeline timeline, WalArchive& archive) {
    if (timeline.value <= 1) return;
    std::lock_guard lock(mutex_);
    if (histories_done_.contains({&archive, timeline})) return;
    const std::string name = postgres::history_name(timeline);
    if (const auto text = base::read_file_if_exists(pg_wal_ / name)) {
        archive.put_history(name, *text);
        base::fault_point("wal_push.after_history");
    }
    histories_done_.insert({&archive, timeline});
}

}  // namespace howdah::archive
