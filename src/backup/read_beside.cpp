#include "backup/read_beside.hpp"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "backup/holes.hpp"
#include "base/file.hpp"
#include "base/workers.hpp"

namespace howdah::backup {

namespace {

using repository::kFrameBytes;

/// One worker: the file it has open, and its buffers.
class BesideReader {
public:
    BesideReader(const FileList& files, const BesideOptions& options, const std::function<void(const Beside&)>& visit,
                 const base::Cancellation& cancellation)
        : files_(files), options_(options), visit_(visit), cancellation_(cancellation) {}

    void look(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> stored) {
        cancellation_.check("the backup");
        std::size_t got = 0;
        if (open(file)) {
            if (options_.limit) options_.limit->take(stored.size(), cancellation_);
            got = file_.read_at(std::span(buffer_).first(stored.size()), offset);
            read_ += got;
        }
        visit_({file, offset, stored, std::span(buffer_).first(got)});
    }
    void look_at_zeros(const repository::Piece& piece) {
        std::optional<Holes> holes;
        if (piece.length > kFrameBytes && open(piece.file)) holes.emplace(file_);
        for (std::uint64_t done = 0; done < piece.length;) {
            if (const auto hole = holes ? holes->at(piece.offset + done, piece.length - done) : 0; hole > 0) {
                done += hole;
                continue;
            }
            const auto part = std::min<std::uint64_t>(kFrameBytes, piece.length - done);
            look(piece.file, piece.offset + done, std::span(zeros_).first(part));
            done += part;
        }
    }
    std::uint64_t read() const { return read_; }

private:
    bool open(std::uint32_t number) {
        if (open_ == number) return true;
        open_.reset();
        auto file = base::File::open_if_exists(files_.place(number), O_RDONLY);
        if (!file) return false;
        file_ = std::move(*file);
        open_ = number;
        return true;
    }

    const FileList& files_;
    const BesideOptions& options_;
    const std::function<void(const Beside&)>& visit_;
    const base::Cancellation& cancellation_;
    base::File file_;
    std::optional<std::uint32_t> open_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(kFrameBytes);
    std::vector<std::byte> zeros_ = std::vector<std::byte>(kFrameBytes);
    std::uint64_t read_ = 0;
};

}  // namespace

void add_piece(StoredPieces& pieces, std::uint32_t file, std::uint64_t offset, const repository::Extent& extent) {
    pieces[extent.pack].push_back({extent.frame, extent.position, extent.length, file, offset});
}

base::Bytes read_beside(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files,
                        StoredPieces pieces, const BesideOptions& options, const std::function<void(const Beside&)>& visit,
                        const base::Cancellation& cancellation) {
    std::vector<StoredPieces::value_type*> packs;
    for (auto& pack : pieces) packs.push_back(&pack);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    std::exception_ptr failure;
    base::Bytes read;
    base::run_workers(options.jobs, [&] {
        try {
            BesideReader reader(files, options, visit, cancellation);
            repository::SealContext context;
            for (std::size_t i = next++; i < packs.size() && !failed; i = next++) {
                const auto wanted = std::move(packs[i]->second);
                if (packs[i]->first.empty())
                    for (const auto& piece : wanted) reader.look_at_zeros(piece);
                else
                    repository::read_pieces(repository, area, packs[i]->first, wanted, context,
                                            [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
                                                reader.look(file, offset, bytes);
                                            });
            }
            const std::lock_guard lock(mutex);
            read += {reader.read()};
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
    return read;
}

}  // namespace howdah::backup
