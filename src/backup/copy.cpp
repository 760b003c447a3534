#include "backup/copy.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>

#include "backup/page_check.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/workers.hpp"
#include "repository/pack_writer.hpp"

namespace howdah::backup {

namespace {

using repository::EntryType;
using repository::Extent;
using repository::FileEntry;
using repository::kFrameBytes;

/// Bytes of a large file that one worker takes at once: big enough for a run of frames, small enough that the last worker ends soon
/// after the others.
constexpr std::uint64_t kPieceBytes = 32u << 20;

/// A part of a file, or the whole of a small one.
struct Piece {
    std::size_t file = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool small = false;
    // What came of it:
    std::uint64_t read = 0;
    bool vanished = false;
    std::vector<Extent> extents;
    PageFindings pages;
};

/// Large pieces first, so that the small ones fill the end.
std::vector<Piece> cut(const std::vector<ListedFile>& files) {
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].type != EntryType::file) continue;
        if (files[i].size <= kFrameBytes) {
            pieces.push_back({.file = i, .offset = 0, .length = files[i].size, .small = true, .extents = {}, .pages = {}});
            continue;
        }
        for (std::uint64_t offset = 0; offset < files[i].size; offset += kPieceBytes)
            pieces.push_back(
                {.file = i, .offset = offset, .length = std::min(kPieceBytes, files[i].size - offset), .extents = {}, .pages = {}});
    }
    std::stable_partition(pieces.begin(), pieces.end(), [](const Piece& piece) { return !piece.small; });
    return pieces;
}

/// One worker: its pack and the file it has open.
class Worker {
public:
    Worker(const repository::Repository& repository, const repository::ClusterArea& area, const std::vector<ListedFile>& files,
           const CopyOptions& options, WaitBudget& waits, base::Progress& progress, const base::Cancellation& cancellation)
        : files_(files),
          options_(options),
          waits_(waits),
          progress_(progress),
          cancellation_(cancellation),
          packs_(repository, area, options.compression_level) {}

    void copy(Piece& piece);
    base::Bytes finish() {
        packs_.finish();
        return packs_.stored();
    }

private:
    bool open(std::size_t number);
    void copy_run(Piece& piece, const ListedFile& file);
    void check(const ListedFile& file, std::span<std::byte> bytes, std::uint64_t offset, Piece& piece) {
        if (options_.verify_pages && file.relation)
            check_pages_read(file_, bytes, offset, file.first_block, waits_, piece.pages, cancellation_);
    }

    const std::vector<ListedFile>& files_;
    const CopyOptions& options_;
    WaitBudget& waits_;
    base::Progress& progress_;
    const base::Cancellation& cancellation_;
    repository::PackWriter packs_;
    base::File file_;
    std::optional<std::size_t> open_number_;
    std::vector<std::byte> small_ = std::vector<std::byte>(kFrameBytes);
};

bool Worker::open(std::size_t number) {
    if (open_number_ == number) return true;
    open_number_.reset();
    auto file = base::File::open_if_exists(files_[number].real, O_RDONLY);
    if (!file) return false;
    file_ = std::move(*file);
    open_number_ = number;
    ::posix_fadvise(file_.descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

void Worker::copy(Piece& piece) {
    const auto& file = files_[piece.file];
    if (!open(piece.file)) {
        piece.vanished = true;
        return;
    }
    if (!piece.small) return copy_run(piece, file);
    const auto space = std::span(small_).first(static_cast<std::size_t>(piece.length));
    piece.read = file_.read_at(space, 0);
    const auto bytes = space.first(static_cast<std::size_t>(piece.read));
    check(file, bytes, 0, piece);
    if (!bytes.empty()) packs_.add_small(bytes, piece.extents);
    progress_.add({piece.length});
}

void Worker::copy_run(Piece& piece, const ListedFile& file) {
    while (piece.read < piece.length) {
        cancellation_.check("the backup");
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kFrameBytes, piece.length - piece.read));
        const auto space = packs_.frame_space().first(wanted);
        const auto got = file_.read_at(space, piece.offset + piece.read);
        if (got == 0) break;
        check(file, space.first(got), piece.offset + piece.read, piece);
        packs_.add_frame(got, piece.extents);
        piece.read += got;
        progress_.add({got});
        if (got < wanted) break;  // The file is shorter than it was when it was listed.
    }
}

/// Adds an extent after another, as one when it goes on from it in a way the format allows.
void append(std::vector<Extent>& extents, Extent extent) {
    if (!extents.empty() && extents.back().pack.empty() && extent.pack.empty())
        extents.back().length += extent.length;
    else
        extents.push_back(std::move(extent));
}

/// Joins a file's pieces. A file that shrank keeps what was read; where a later piece still found bytes (it grew again meanwhile) the
/// hole between is zeros, as replay of the truncation expects nothing there.
void join(FileEntry& entry, Piece& piece) {
    if (piece.read > 0 && entry.size < piece.offset) {
        append(entry.extents, {.length = piece.offset - entry.size, .pack = {}});
        entry.size = piece.offset;
    }
    for (auto& extent : piece.extents) append(entry.extents, std::move(extent));
    entry.size += piece.read;
    entry.bad_pages.insert(entry.bad_pages.end(), piece.pages.bad.begin(), piece.pages.bad.end());
}

CopyResult assemble(const std::vector<ListedFile>& files, std::vector<Piece> pieces) {
    CopyResult result;
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return std::pair(a.file, a.offset) < std::pair(b.file, b.offset); });
    auto piece = pieces.begin();
    for (std::size_t i = 0; i < files.size(); ++i) {
        FileEntry entry;
        entry.path = files[i].path;
        entry.type = files[i].type;
        entry.mode = files[i].mode;
        entry.modified_us = files[i].modified_us;
        entry.target = files[i].link_target;
        bool vanished = false;
        std::uint64_t hurried = 0;
        for (; piece != pieces.end() && piece->file == i; ++piece) {
            vanished = vanished || (piece->vanished && piece->offset == 0);
            join(entry, *piece);
            hurried += piece->pages.hurried;
        }
        if (vanished) {
            ++result.vanished;
            continue;
        }
        result.read += {entry.size};
        result.bad_pages += entry.bad_pages.size();
        if (hurried > 0) result.hurried.push_back(fmt::format("{}: {} page(s)", entry.path, hurried));
        result.entries.push_back(std::move(entry));
    }
    return result;
}

}  // namespace

CopyResult copy_files(const repository::Repository& repository, const repository::ClusterArea& area, const std::vector<ListedFile>& files,
                      const CopyOptions& options, base::Progress& progress, const base::Cancellation& cancellation) {
    auto pieces = cut(files);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::atomic<std::uint64_t> stored{0};
    WaitBudget waits(options.page_waits);
    std::exception_ptr failure;
    std::mutex failure_mutex;

    const auto work = [&] {
        try {
            Worker worker(repository, area, files, options, waits, progress, cancellation);
            for (std::size_t i = next++; i < pieces.size() && !failed; i = next++) {
                cancellation.check("the backup");
                worker.copy(pieces[i]);
                base::fault_point("backup.piece_copied");
            }
            if (!failed) stored += worker.finish().count;
        } catch (...) {
            std::lock_guard lock(failure_mutex);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    };
    base::run_workers(options.jobs, work);
    if (failure) std::rethrow_exception(failure);
    auto result = assemble(files, std::move(pieces));
    result.stored = {stored.load()};
    return result;
}

}  // namespace howdah::backup
