#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "archive/acknowledgement.hpp"
#include "archive/put_everywhere.hpp"
#include "archive/segment_buffer.hpp"
#include "archive/wal_archive.hpp"

namespace howdah::archive {

/// Compressor and buffer of one thread, reused for all its segments.
struct PushWorker {
    explicit PushWorker(int compression_level) : context(compression_level) {}
    repository::SealContext context;
    SegmentBuffer buffer;
};

/// What became of one file.
struct PushedFile {
    std::vector<PutResult> results;  ///< In each archive.
    FileStamp stamp;
    base::Bytes bytes, stored_bytes;
};

/// Pushes files of one pg_wal into archives. Thread-safe with a worker for each thread.
class FilePusher {
public:
    explicit FilePusher(std::filesystem::path pg_wal) : pg_wal_(std::move(pg_wal)) {}

    /// A segment, a ".partial" or a history file, read once and durable when it returns in each archive whose result names no failure. A
    /// segment's timeline history goes first (trap T17): a server that looks for the newest timeline stops at the first history missing.
    /// With `replace_unfinished` a segment takes the place of an unfinished copy of itself (WalArchive::remove_unfinished).
    PushedFile push(const std::string& name, PushWorker& worker, std::span<WalArchive* const> archives, bool replace_unfinished = false);
    /// The same for one archive, whose failure is thrown.
    PushedFile push(const std::string& name, PushWorker& worker, WalArchive& archive);

private:
    void push_history(const std::string& name, std::span<WalArchive* const> archives, PushedFile& pushed);
    void push_history_of(base::Timeline timeline, WalArchive& archive);

    std::filesystem::path pg_wal_;
    std::mutex mutex_;
    std::set<std::pair<const WalArchive*, base::Timeline>> histories_done_;
};

}  // namespace howdah::archive
