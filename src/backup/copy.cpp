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
#include "postgres/page.hpp"
#include "repository/extents.hpp"
#include "repository/pack_writer.hpp"

namespace howdah::backup {

namespace {

using repository::EntryType;
using repository::Extent;
using repository::FileEntry;
using repository::kFrameBytes;

/// How many bytes of large files one worker takes at once: big enough for a run of frames, and less and less towards the end, so that the
/// last worker ends soon after the others.
class PieceSize {
public:
    PieceSize(std::uint64_t total, unsigned jobs) : left_(total), jobs_(std::max(jobs, 1u)) {}
    std::uint64_t next() const { return std::clamp(left_ / (4 * jobs_) / kFrameBytes * kFrameBytes, kLeast, kMost); }
    void cut(std::uint64_t length) { left_ -= std::min(length, left_); }

private:
    static constexpr std::uint64_t kLeast = 1u << 20, kMost = 32u << 20;
    std::uint64_t left_;
    unsigned jobs_;
};

/// A part of a file, or the whole of a small one.
struct Piece {
    std::size_t file = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;      ///< With `parts` of these together.
    std::vector<ByteRange> parts;  ///< Only these are read; none: all from `offset` on.
    bool small = false;
    // What came of it:
    std::uint64_t read = 0;
    bool vanished = false;
    std::vector<Extent> extents;
    PageFindings pages;
};

Piece piece_of(std::size_t file, std::uint64_t offset, std::uint64_t length, bool small) {
    Piece piece;
    piece.file = file;
    piece.offset = offset;
    piece.length = length;
    piece.small = small;
    return piece;
}

/// Pieces of the parts that are to be read.
void cut_parts(std::size_t file, const std::vector<ByteRange>& parts, PieceSize& size, std::vector<Piece>& pieces) {
    std::uint64_t room = 0;
    for (ByteRange part : parts) {
        while (part.length() > 0) {
            if (room == 0) {
                pieces.push_back(piece_of(file, part.begin, 0, false));
                room = size.next();
            }
            const std::uint64_t length = std::min(room, part.length());
            pieces.back().parts.push_back({part.begin, part.begin + length});
            pieces.back().length += length;
            part.begin += length;
            room -= length;
            size.cut(length);
        }
    }
}

bool is_parts(const std::vector<FilePlan>& plans, std::size_t file) { return !plans.empty() && plans[file].kind == FilePlan::Kind::parts; }

/// Bytes to be read of a file that is cut into pieces; none of a small one.
std::uint64_t bytes_to_cut(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, std::size_t file) {
    std::uint64_t bytes = 0;
    if (is_parts(plans, file))
        for (const auto& part : plans[file].read) bytes += part.length();
    else if (files[file].type == EntryType::file && files[file].size > kFrameBytes)
        bytes = files[file].size;
    return bytes;
}

/// Large pieces first, so that the small ones fill the end.
std::vector<Piece> cut(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, unsigned jobs) {
    std::vector<Piece> pieces;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < files.size(); ++i) total += bytes_to_cut(files, plans, i);
    PieceSize size(total, jobs);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].type != EntryType::file) continue;
        if (is_parts(plans, i)) {
            cut_parts(i, plans[i].read, size, pieces);
            continue;
        }
        if (files[i].size <= kFrameBytes) {
            pieces.push_back(piece_of(i, 0, files[i].size, true));
            continue;
        }
        for (std::uint64_t offset = 0; offset < files[i].size;) {
            pieces.push_back(piece_of(i, offset, std::min(size.next(), files[i].size - offset), false));
            size.cut(pieces.back().length);
            offset += pieces.back().length;
        }
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
    /// Reads at the rate that is allowed.
    std::size_t read(std::span<std::byte> space, std::uint64_t offset) {
        if (options_.limit) options_.limit->take(space.size(), cancellation_);
        return file_.read_at(space, offset);
    }
    bool open(std::size_t number);
    void copy_run(Piece& piece, const ListedFile& file);
    void copy_parts(Piece& piece, const ListedFile& file);
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
    if (!piece.parts.empty()) return copy_parts(piece, file);
    if (!piece.small) return copy_run(piece, file);
    const auto space = std::span(small_).first(static_cast<std::size_t>(piece.length));
    piece.read = read(space, 0);
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
        const auto got = read(space, piece.offset + piece.read);
        if (got == 0) break;
        check(file, space.first(got), piece.offset + piece.read, piece);
        packs_.add_frame(got, piece.extents);
        piece.read += got;
        progress_.add({got});
        if (got < wanted) break;  // The file is shorter than it was when it was listed.
    }
}

/// Whole frames stand alone, shorter runs share theirs with other files'. What is not there any more is zeros, as the file was cut after
/// the backup began and replay cuts it again.
void Worker::copy_parts(Piece& piece, const ListedFile& file) {
    for (const ByteRange& part : piece.parts) {
        for (std::uint64_t at = part.begin; at < part.end;) {
            cancellation_.check("the backup");
            const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kFrameBytes, part.end - at));
            const bool whole_frame = wanted == kFrameBytes;
            const auto space = (whole_frame ? packs_.frame_space() : std::span(small_)).first(wanted);
            const auto got = read(space, at);
            check(file, space.first(got), at, piece);
            if (whole_frame)
                packs_.add_frame(got, piece.extents);
            else if (got > 0)
                packs_.add_small(space.first(got), piece.extents);
            if (got < wanted) repository::append_extent(piece.extents, {wanted - got, {}, 0, 0});
            piece.read += got;
            at += wanted;
            progress_.add({wanted});
        }
    }
}

/// Joins a file's pieces. A file that shrank keeps what was read; where a later piece still found bytes (it grew again meanwhile) the
/// hole between is zeros, as replay of the truncation expects nothing there.
void join(FileEntry& entry, Piece& piece) {
    if (piece.read > 0 && entry.size < piece.offset) {
        repository::append_extent(entry.extents, {piece.offset - entry.size, {}, 0, 0});
        entry.size = piece.offset;
    }
    for (auto& extent : piece.extents) repository::append_extent(entry.extents, std::move(extent));
    entry.size += piece.read;
    entry.bad_pages.insert(entry.bad_pages.end(), piece.pages.bad.begin(), piece.pages.bad.end());
}

/// An entry whose parts that were read lie where its pieces say, and the rest where the parent has it. `entry.extents` holds those of the
/// pieces, one after the other.
void join_with_parent(FileEntry& entry, const ListedFile& file, const FilePlan& plan) {
    const auto read = std::exchange(entry.extents, {});
    repository::ExtentCursor kept(plan.parent->extents);
    repository::ExtentCursor fresh(read);
    std::uint64_t at = 0;
    for (const ByteRange& part : plan.read) {
        kept.take(part.begin - at, entry.extents);
        fresh.take(part.length(), entry.extents);
        at = part.end;
        if (part.begin < plan.parent->size) kept.skip(std::min(part.end, plan.parent->size) - part.begin);
    }
    kept.take(file.size - at, entry.extents);
    entry.size = file.size;
    for (const auto& page : plan.parent->bad_pages) {
        const std::uint64_t offset = std::uint64_t{page.block - file.first_block} * postgres::kBlockSize;
        const bool anew = std::any_of(plan.read.begin(), plan.read.end(),
                                      [&](const ByteRange& part) { return part.begin <= offset && offset < part.end; });
        if (!anew && offset < file.size) entry.bad_pages.push_back(page);
    }
    std::sort(entry.bad_pages.begin(), entry.bad_pages.end(), [](const auto& a, const auto& b) { return a.block < b.block; });
}

CopyResult assemble(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, std::vector<Piece> pieces) {
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
        const bool parts = is_parts(plans, i);
        for (; piece != pieces.end() && piece->file == i; ++piece) {
            vanished = vanished || (piece->vanished && (parts || piece->offset == 0));
            if (parts) piece->offset = entry.size;  // What was read, one after the other.
            join(entry, *piece);
            result.read += {piece->read};
            hurried += piece->pages.hurried;
        }
        if (vanished) {
            ++result.vanished;
            continue;
        }
        if (parts) join_with_parent(entry, files[i], plans[i]);
        result.bytes += {entry.size};
        result.bad_pages += entry.bad_pages.size();
        if (hurried > 0) result.hurried.push_back(fmt::format("{}: {} page(s)", entry.path, hurried));
        result.entries.push_back(std::move(entry));
    }
    return result;
}

}  // namespace

CopyResult copy_files(const repository::Repository& repository, const repository::ClusterArea& area, const std::vector<ListedFile>& files,
                      const std::vector<FilePlan>& plans, const CopyOptions& options, base::Progress& progress,
                      const base::Cancellation& cancellation) {
    auto pieces = cut(files, plans, options.jobs);
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
    auto result = assemble(files, plans, std::move(pieces));
    result.stored = {stored.load()};
    return result;
}

}  // namespace howdah::backup
