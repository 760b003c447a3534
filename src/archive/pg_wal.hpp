#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/file.hpp"
#include "base/units.hpp"
#include "postgres/wal_name.hpp"

namespace howdah::archive {

/// The data directory of a file in pg_wal: the parent of pg_wal as the path names it, or the current folder when its pg_wal is a link to
/// the file's folder. A relative path is relative to the current folder, where PostgreSQL starts archive_command: the data directory.
/// Failure(configuration) when neither holds a pg_control.
std::filesystem::path data_directory_of(const std::filesystem::path& wal_file);

/// What waits: names with a .ready mark, histories first and then by name, as PostgreSQL archives them.
std::vector<std::string> ready_files(const std::filesystem::path& data_directory);

/// Whether a segment in pg_wal can change no more: PostgreSQL marked it (.ready, .done), or the next segment was begun, or it ends
/// with a switch. False when it is not there.
bool segment_complete(const std::filesystem::path& data_directory, const postgres::WalSegment& segment, std::uint64_t segment_size);

/// Waits for something to happen in a folder (inotify). Where the kernel cannot watch, wait() is a short sleep.
class FolderWatch {
public:
    explicit FolderWatch(const std::filesystem::path& folder);
    /// Returns when a file was created, renamed or written there since the last call, after `longest`, or when a stop was asked for.
    void wait(std::chrono::milliseconds longest, const base::Cancellation& cancellation);

private:
    base::File watch_;
};

}  // namespace howdah::archive
