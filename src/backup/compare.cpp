#include "backup/compare.hpp"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/file.hpp"
#include "base/workers.hpp"
#include "postgres/page.hpp"
#include "repository/pack_reader.hpp"

namespace howdah::backup {

namespace {

using postgres::kBlockSize;
using repository::kFrameBytes;

/// What one worker found.
struct Findings {
    std::vector<std::pair<std::uint32_t, ByteRange>> differ;  ///< By file; whole pages.
    std::vector<std::uint32_t> cut;                           ///< Files that are gone, or shorter than they were when they were listed.
    std::uint64_t read = 0;
};

/// Runs of zeros that no pack holds, by file.
struct Zeros {
    std::uint32_t file;
    ByteRange range;
};

struct Work {
    std::map<std::string, std::vector<repository::Piece>> packs;
    std::vector<Zeros> zeros;
};

Work gather(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans) {
    Work work;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (plans[i].kind != FilePlan::Kind::compare) continue;
        const auto number = static_cast<std::uint32_t>(i);
        const std::uint64_t end = std::min(files[i].size, plans[i].parent->size);
        std::uint64_t at = 0;
        for (const auto& extent : plans[i].parent->extents) {
            const std::uint64_t length = std::min(extent.length, end - at);
            if (length == 0) break;
            if (extent.pack.empty())
                work.zeros.push_back({number, {at, at + length}});
            else
                work.packs[extent.pack].push_back({extent.frame, extent.position, length, number, at});
            at += length;
        }
    }
    return work;
}

/// One worker: the file it has open, and what it found.
class Comparer {
public:
    Comparer(const std::vector<ListedFile>& files, base::RateLimit* limit, const base::Cancellation& cancellation)
        : files_(files), limit_(limit), cancellation_(cancellation) {}

    void compare(std::uint32_t number, std::uint64_t offset, std::span<const std::byte> stored) {
        if (!open(number)) return findings_.cut.push_back(number);
        const auto bytes = std::span(buffer_).first(stored.size());
        if (limit_) limit_->take(bytes.size(), cancellation_);
        const auto got = file_.read_at(bytes, offset);
        findings_.read += got;
        if (got < stored.size()) findings_.cut.push_back(number);
        if (std::memcmp(bytes.data(), stored.data(), got) == 0) return;
        for (std::size_t at = 0; at < got;) {
            const std::uint64_t page = (offset + at) / kBlockSize * kBlockSize;
            const std::size_t part = std::min<std::size_t>(got - at, page + kBlockSize - (offset + at));
            if (std::memcmp(bytes.data() + at, stored.data() + at, part) != 0)
                findings_.differ.push_back({number, {page, page + kBlockSize}});
            at += part;
        }
    }
    void compare_zeros(const Zeros& zeros) {
        for (std::uint64_t at = zeros.range.begin; at < zeros.range.end; at += kFrameBytes)
            compare(zeros.file, at, std::span(zeros_).first(std::min<std::uint64_t>(kFrameBytes, zeros.range.end - at)));
    }
    Findings& findings() { return findings_; }

private:
    bool open(std::uint32_t number) {
        if (open_ != number) {
            open_.reset();
            auto file = base::File::open_if_exists(files_[number].real, O_RDONLY);
            if (!file) return false;
            file_ = std::move(*file);
            open_ = number;
        }
        return true;
    }

    const std::vector<ListedFile>& files_;
    base::RateLimit* limit_;
    const base::Cancellation& cancellation_;
    base::File file_;
    std::optional<std::uint32_t> open_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(kFrameBytes);
    std::vector<std::byte> zeros_ = std::vector<std::byte>(kFrameBytes);
    Findings findings_;
};

/// Makes the plan of a compared file from the pages that differ.
void settle(const ListedFile& file, FilePlan& plan, std::vector<ByteRange> differ) {
    // The page in which the parent's copy ends is read with what lies behind it.
    if (file.size > plan.parent->size) differ.push_back({plan.parent->size / kBlockSize * kBlockSize, file.size});
    if (!differ.empty() && file.size <= kFrameBytes) {
        plan = {};
        return;
    }
    std::sort(differ.begin(), differ.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    plan.kind = FilePlan::Kind::parts;
    for (const auto& range : differ) {
        const std::uint64_t end = std::min(range.end, file.size);
        if (!plan.read.empty() && plan.read.back().end >= range.begin)
            plan.read.back().end = std::max(plan.read.back().end, end);
        else
            plan.read.push_back({range.begin, end});
    }
}

}  // namespace

base::Bytes compare_files(const repository::Repository& repository, const repository::ClusterArea& area,
                          const std::vector<ListedFile>& files, std::vector<FilePlan>& plans, const CopyOptions& options,
                          const base::Cancellation& cancellation) {
    auto work = gather(files, plans);
    std::vector<std::pair<const std::string*, std::vector<repository::Piece>*>> packs;
    for (auto& [name, pieces] : work.packs) packs.emplace_back(&name, &pieces);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    std::exception_ptr failure;
    std::map<std::uint32_t, std::vector<ByteRange>> differ;
    std::vector<bool> cut(files.size());
    base::Bytes read;
    base::run_workers(options.jobs, [&] {
        try {
            Comparer comparer(files, options.limit, cancellation);
            repository::SealContext context;
            for (std::size_t i = next++; i <= packs.size() && !failed; i = next++) {
                if (i == packs.size()) {
                    for (const auto& zeros : work.zeros) comparer.compare_zeros(zeros);
                    break;
                }
                repository::read_pieces(repository, area, *packs[i].first, std::move(*packs[i].second), context,
                                        [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
                                            cancellation.check("the backup");
                                            comparer.compare(file, offset, bytes);
                                        });
            }
            const std::lock_guard lock(mutex);
            for (auto& [file, range] : comparer.findings().differ) differ[file].push_back(range);
            for (const auto file : comparer.findings().cut) cut[file] = true;
            read += {comparer.findings().read};
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (plans[i].kind != FilePlan::Kind::compare) continue;
        if (cut[i])
            plans[i] = {};
        else
            settle(files[i], plans[i], std::move(differ[static_cast<std::uint32_t>(i)]));
    }
    return read;
}

}  // namespace howdah::backup
