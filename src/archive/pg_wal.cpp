#include "archive/pg_wal.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <fcntl.h>
#include <algorithm>
#include <array>
#include <optional>

#include "base/failure.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;

namespace {

constexpr std::string_view kReady = ".ready";

bool is_data_directory(const fs::path& folder) {
    std::error_code error;
    return fs::exists(folder / "global" / "pg_control", error);
}

fs::path status_folder(const fs::path& data_directory) { return data_directory / "pg_wal" / "archive_status"; }

bool begun(const fs::path& file, base::Lsn begin) {
    const auto there = base::File::open_if_exists(file, O_RDONLY);
    if (!there) return false;
    std::array<std::byte, 8192> page{};
    if (there->read_at(page, 0) < page.size()) return false;
    try {
        return postgres::parse_segment_header(page).page_address == begin;
    } catch (const Failure&) {
        return false;  // A file made in advance holds zeros.
    }
}

bool ends_with_switch(const fs::path& file) {
    const std::string bytes = base::read_file(file, {1u << 30});
    return postgres::walk_segment(base::as_bytes(bytes)).switched;
}

}  // namespace

fs::path data_directory_of(const fs::path& wal_file) {
    const fs::path folder = fs::absolute(wal_file).lexically_normal().parent_path();
    if (folder.filename() == "pg_wal" && is_data_directory(folder.parent_path())) return folder.parent_path();
    std::error_code error;
    const fs::path here = fs::current_path(error);
    if (!error && is_data_directory(here) && fs::equivalent(here / "pg_wal", folder, error)) return here;
    throw Failure(FailureKind::configuration, fmt::format("no data directory found for WAL file {}", wal_file.string()),
                  "give the path as archive_command's %p, from within the data directory");
}

std::vector<std::string> ready_files(const fs::path& data_directory) {
    std::vector<std::string> names;
    try {
        for (const auto& entry : fs::directory_iterator(status_folder(data_directory))) {
            const std::string mark = entry.path().filename().string();
            if (mark.ends_with(kReady)) names.push_back(mark.substr(0, mark.size() - kReady.size()));
        }
    } catch (const fs::filesystem_error& error) {
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot read {}", status_folder(data_directory).string()),
                                  error.code().value());
    }
    const auto rank = [](const std::string& name) { return postgres::classify_wal_file(name) == WalFileKind::history ? 0 : 1; };
    std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return std::pair(rank(a), a) < std::pair(rank(b), b); });
    return names;
}

bool segment_complete(const fs::path& data_directory, const postgres::WalSegment& segment, std::uint64_t segment_size) {
    const fs::path pg_wal = data_directory / "pg_wal";
    const std::string name = segment.name(segment_size);
    std::error_code error;
    if (!fs::exists(pg_wal / name, error)) return false;
    for (const char* mark : {".ready", ".done"})
        if (fs::exists(status_folder(data_directory) / (name + mark), error)) return true;
    const postgres::WalSegment next = segment.next();
    return begun(pg_wal / next.name(segment_size), next.begin(segment_size)) ||
           (begun(pg_wal / name, segment.begin(segment_size)) && ends_with_switch(pg_wal / name));
}

FolderWatch::FolderWatch(const fs::path& folder) : watch_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (watch_.is_open() && ::inotify_add_watch(watch_.descriptor(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
        watch_.close();
}

void FolderWatch::wait(std::chrono::milliseconds longest, const base::Cancellation& cancellation) {
    constexpr std::chrono::milliseconds kSlice{100};  // How soon a stop is seen.
    const auto deadline = std::chrono::steady_clock::now() + longest;
    while (!cancellation.requested() && std::chrono::steady_clock::now() < deadline) {
        if (!watch_.is_open()) {
            cancellation.sleep(kSlice);
            return;
        }
        pollfd event{watch_.descriptor(), POLLIN, 0};
        if (::poll(&event, 1, static_cast<int>(kSlice.count())) <= 0) continue;
        std::array<char, 4096> buffer;
        while (::read(watch_.descriptor(), buffer.data(), buffer.size()) > 0) {
        }
        return;
    }
}

}  // namespace howdah::archive
