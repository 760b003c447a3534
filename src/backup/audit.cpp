#include "backup/audit.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <random>

#include "base/file.hpp"
#include "base/workers.hpp"
#include "postgres/page.hpp"
#include "postgres/page_mask.hpp"
#include "repository/extents.hpp"
#include "repository/pack_reader.hpp"

namespace howdah::backup {

namespace {

using postgres::kBlockSize;
using repository::kFrameBytes;

using Packs = std::map<std::string, std::vector<repository::Piece>>;  ///< Pieces by pack; runs of zeros have the empty name.

/// Where the parent stored bytes of a file that is kept.
void add_pieces(const FilePlan& plan, std::uint32_t number, ByteRange range, Packs& packs) {
    std::vector<repository::Extent> extents;
    repository::ExtentCursor cursor(plan.parent->extents);
    cursor.skip(range.begin);
    cursor.take(range.length(), extents);
    std::uint64_t at = range.begin;
    for (const auto& extent : extents) {
        packs[extent.pack].push_back({extent.frame, extent.position, extent.length, number, at});
        at += extent.length;
    }
}

/// The ranges of a file that its plan leaves where the parent has them, in whole pages.
std::vector<ByteRange> kept_ranges(const ListedFile& file, const FilePlan& plan) {
    std::vector<ByteRange> kept;
    const std::uint64_t end = std::min(file.size, plan.parent->size) / kBlockSize * kBlockSize;
    std::uint64_t at = 0;
    for (const auto& read : plan.read) {
        if (at < std::min(read.begin, end)) kept.push_back({at, std::min(read.begin, end)});
        at = read.end;
    }
    if (at < end) kept.push_back({at, end});
    return kept;
}

Packs choose(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, const AuditOptions& options) {
    Packs packs;
    std::mt19937_64 random(options.seed);
    std::uniform_real_distribution<double> dice(0, 100);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (plans[i].kind != FilePlan::Kind::parts || !files[i].relation) continue;
        for (const auto& kept : kept_ranges(files[i], plans[i]))
            for (std::uint64_t at = kept.begin; at < kept.end;) {
                const std::uint64_t end = std::min(kept.end, (at / kFrameBytes + 1) * kFrameBytes);
                if (dice(random) < options.percent) add_pieces(plans[i], static_cast<std::uint32_t>(i), {at, end}, packs);
                at = end;
            }
    }
    return packs;
}

/// One worker: the file it has open, and what it found.
class Auditor {
public:
    Auditor(const std::vector<ListedFile>& files, base::RateLimit* limit, const base::Cancellation& cancellation)
        : files_(files), limit_(limit), cancellation_(cancellation) {}

    /// A page that lies in two frames is passed over: programs before summaries wrote some so.
    void look(std::uint32_t number, std::uint64_t offset, std::span<const std::byte> stored) {
        if (!open(number)) return;
        if (limit_) limit_->take(stored.size(), cancellation_);
        const auto got = file_.read_at(std::span(buffer_).first(stored.size()), offset);
        found_.read += {got};
        for (std::size_t at = (kBlockSize - offset % kBlockSize) % kBlockSize; at + kBlockSize <= got; at += kBlockSize) {
            const auto block = static_cast<std::uint32_t>(files_[number].first_block + (offset + at) / kBlockSize);
            ++found_.pages;
            if (!postgres::equal_unlogged(stored.subspan(at, kBlockSize), std::span(buffer_).subspan(at, kBlockSize), block))
                found_.differ.push_back({number, block});
        }
    }
    void look_at_zeros(const repository::Piece& piece) {
        for (std::uint64_t done = 0; done < piece.length; done += kFrameBytes)
            look(piece.file, piece.offset + done, std::span(zeros_).first(std::min<std::uint64_t>(kFrameBytes, piece.length - done)));
    }
    const AuditResult& found() const { return found_; }

private:
    bool open(std::uint32_t number) {
        if (open_ == number) return true;
        open_.reset();
        auto file = base::File::open_if_exists(files_[number].real, O_RDONLY);
        if (!file) return false;
        file_ = std::move(*file);
        open_ = number;
        return true;
    }

    const std::vector<ListedFile>& files_;
    base::RateLimit* limit_;
    const base::Cancellation& cancellation_;
    base::File file_;
    std::optional<std::uint32_t> open_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(kFrameBytes);
    std::vector<std::byte> zeros_ = std::vector<std::byte>(kFrameBytes);
    AuditResult found_;
};

}  // namespace

AuditResult audit_kept(const repository::Repository& repository, const repository::ClusterArea& area, const std::vector<ListedFile>& files,
                       const std::vector<FilePlan>& plans, const AuditOptions& options, const base::Cancellation& cancellation) {
    auto chosen = choose(files, plans, options);
    std::vector<std::pair<const std::string*, std::vector<repository::Piece>*>> packs;
    for (auto& [name, pieces] : chosen) packs.emplace_back(&name, &pieces);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    std::exception_ptr failure;
    AuditResult result;
    base::run_workers(options.jobs, [&] {
        try {
            Auditor auditor(files, options.limit, cancellation);
            repository::SealContext context;
            for (std::size_t i = next++; i < packs.size() && !failed; i = next++) {
                const auto& [pack, pieces] = packs[i];
                if (pack->empty()) {
                    for (const auto& piece : *pieces) auditor.look_at_zeros(piece);
                    continue;
                }
                repository::read_pieces(repository, area, *pack, std::move(*pieces), context,
                                        [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
                                            cancellation.check("the backup");
                                            auditor.look(file, offset, bytes);
                                        });
            }
            const std::lock_guard lock(mutex);
            const auto& found = auditor.found();
            result.pages += found.pages;
            result.read += found.read;
            result.differ.insert(result.differ.end(), found.differ.begin(), found.differ.end());
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
    std::sort(result.differ.begin(), result.differ.end(),
              [](const AuditedPage& a, const AuditedPage& b) { return std::pair(a.file, a.block) < std::pair(b.file, b.block); });
    return result;
}

std::vector<std::string> unexplained(const std::vector<AuditedPage>& pages, const std::vector<ListedFile>& files,
                                     const postgres::BlockChanges& since) {
    std::vector<std::string> named;
    for (const auto& page : pages) {
        const auto fork = fork_of(files[page.file].path);
        const auto past = page.block + 1;
        if (fork && since.changed(*fork, past, past, {page.block, past}).empty())
            named.push_back(fmt::format("{} block {}", files[page.file].path, page.block));
    }
    return named;
}

}  // namespace howdah::backup
