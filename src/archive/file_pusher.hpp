#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "archive/acknowledgement.hpp"
#include "archive/wal_archive.hpp"

namespace howdah::archive {

/// Compressor and buffer of one thread, reused for all its segments.
struct PushWorker {
    explicit PushWorker(int compression_level) : context(compression_level) {}
    repository::SealContext context;
    std::vector<std::byte> buffer;
};

/// What became of one file.
struct PushedFile {
    Stored stored = Stored::added;
    FileStamp stamp;
    base::Bytes bytes, stored_bytes;
};

/// Pushes files of one pg_wal into an archive. Thread-safe with a worker for each thread.
class FilePusher {
public:
    FilePusher(WalArchive& archive, std::filesystem::path pg_wal) : archive_(&archive), pg_wal_(std::move(pg_wal)) {}

    /// A segment, a ".partial" or a history file, read once and durable when it returns. A segment's timeline history goes first
    /// (trap T17): a server that looks for the newest timeline stops at the first history missing.
    /// With `replace_unfinished` a segment takes the place of an unfinished copy of itself (WalArchive::remove_unfinished).
    PushedFile push(const std::string& name, PushWorker& worker, bool replace_unfinished = false);

private:
    PushedFile push_history(const std::string& name);
    void push_history_of(base::Timeline timeline);

    WalArchive* archive_;
    std::filesystem::path pg_wal_;
    std::mutex mutex_;
    std::set<base::Timeline> histories_done_;
};

}  // namespace howdah::archive
