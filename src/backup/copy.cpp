#include "backup/copy.hpp"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "backup/holes.hpp"
#include "backup/page_check.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/workers.hpp"
#include "repository/extents.hpp"
#include "repository/pack_writer.hpp"

namespace howdah::backup {

namespace {

using repository::kFrameBytes;

/// One worker: its pack and the file it has open.
class Worker {
public:
    Worker(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files, const CopyOptions& options,
           WaitBudget& waits, base::Progress& progress, const base::Cancellation& cancellation)
        : files_(files),
          options_(options),
          waits_(waits),
          progress_(progress),
          cancellation_(cancellation),
          packs_(repository, area, options.compression_level) {}

    void copy(Piece& piece);
    /// Of the bytes that the pieces have.
    std::uint64_t skipped() const { return skipped_; }
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
        if (options_.verify_pages && file.relation) check_pages_read(file_, bytes, offset, file.first_block, waits_, found_, cancellation_);
        if (found_.bad.empty()) return;
        if (!piece.pages) piece.pages = std::make_unique<PageFindings>();
        piece.pages->bad.insert(piece.pages->bad.end(), found_.bad.begin(), found_.bad.end());
        piece.pages->hurried += std::exchange(found_, {}).hurried;
    }

    const FileList& files_;
    const CopyOptions& options_;
    WaitBudget& waits_;
    base::Progress& progress_;
    const base::Cancellation& cancellation_;
    repository::PackWriter packs_;
    base::File file_;
    std::optional<std::size_t> open_number_;
    PageFindings found_;
    std::uint64_t skipped_ = 0;  ///< Holes, which were not read.
    std::vector<std::byte> small_ = std::vector<std::byte>(kFrameBytes);
};

bool Worker::open(std::size_t number) {
    if (open_number_ == number) return true;
    open_number_.reset();
    auto file = base::File::open_if_exists(files_.place(number), O_RDONLY);
    if (!file) return false;
    file_ = std::move(*file);
    open_number_ = number;
    ::posix_fadvise(file_.descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

void Worker::copy(Piece& piece) {
    const auto& file = files_.files[piece.file];
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
    const Holes holes(file_);
    while (piece.read < piece.length) {
        cancellation_.check("the backup");
        if (const auto hole = holes.at(piece.offset + piece.read, piece.length - piece.read); hole > 0) {
            repository::append_extent(piece.extents, {hole, {}, 0, 0});
            piece.read += hole;
            skipped_ += hole;
            progress_.add({hole});
            continue;
        }
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

}  // namespace

CopyResult copy_files(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files,
                      const std::vector<FilePlan>& plans, const CopyOptions& options, base::Progress& progress,
                      const base::Cancellation& cancellation) {
    CopyResult result{cut_pieces(files.files, plans, options.jobs), {}, {}};
    auto& pieces = result.pieces;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::atomic<std::uint64_t> stored{0}, skipped{0};
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
            skipped += worker.skipped();
            if (!failed) stored += worker.finish().count;
        } catch (...) {
            std::lock_guard lock(failure_mutex);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    };
    base::run_workers(options.jobs, work);
    if (failure) std::rethrow_exception(failure);
    for (const auto& piece : pieces) result.read += {piece.read};
    result.read.count -= skipped;
    result.stored = {stored.load()};
    return result;
}

}  // namespace howdah::backup
