#include "backup/audit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

#include "backup/read_beside.hpp"
#include "postgres/page.hpp"
#include "postgres/page_mask.hpp"
#include "repository/extents.hpp"

namespace howdah::backup {

namespace {

using postgres::kBlockSize;
using repository::kFrameBytes;

/// The ranges of a file that its plan leaves where the parent has them, in whole pages.
std::vector<ByteRange> kept_ranges(const ListedFile& file, const FilePlan& plan) {
    std::vector<ByteRange> kept;
    const std::uint64_t end = std::min(file.size, plan.stored_size) / kBlockSize * kBlockSize;
    std::uint64_t at = 0;
    for (const auto& read : plan.read) {
        if (at < std::min(read.begin, end)) kept.push_back({at, std::min(read.begin, end)});
        at = read.end;
    }
    if (at < end) kept.push_back({at, end});
    return kept;
}

StoredPieces choose(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, const AuditOptions& options) {
    StoredPieces pieces;
    std::mt19937_64 random(options.seed);
    std::uniform_real_distribution<double> dice(0, 100);
    std::vector<repository::Extent> extents;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (plans[i].kind != FilePlan::Kind::parts || !files[i].relation) continue;
        repository::ExtentCursor cursor(plans[i].stored);
        std::uint64_t passed = 0;
        for (const auto& kept : kept_ranges(files[i], plans[i]))
            for (std::uint64_t at = kept.begin; at < kept.end;) {
                const std::uint64_t end = std::min(kept.end, (at / kFrameBytes + 1) * kFrameBytes);
                if (dice(random) < options.percent) {
                    extents.clear();
                    cursor.skip(at - passed);
                    cursor.take(end - at, extents);
                    passed = end;
                    for (std::uint64_t offset = at; const auto& extent : extents) {
                        add_piece(pieces, static_cast<std::uint32_t>(i), offset, extent);
                        offset += extent.length;
                    }
                }
                at = end;
            }
    }
    return pieces;
}

/// Blocks of a file that are not what was stored. One that lies in two frames is passed over: programs before summaries wrote some so.
std::vector<std::uint32_t> differing_blocks(const ListedFile& file, const Beside& both) {
    std::vector<std::uint32_t> blocks;
    for (std::size_t at = (kBlockSize - both.offset % kBlockSize) % kBlockSize; at + kBlockSize <= both.now.size(); at += kBlockSize) {
        const auto block = static_cast<std::uint32_t>(file.first_block + (both.offset + at) / kBlockSize);
        if (!postgres::equal_unlogged(both.stored.subspan(at, kBlockSize), both.now.subspan(at, kBlockSize), block))
            blocks.push_back(block);
    }
    return blocks;
}

}  // namespace

AuditResult audit_kept(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files,
                       const std::vector<FilePlan>& plans, const AuditOptions& options, const base::Cancellation& cancellation) {
    AuditResult result;
    std::mutex mutex;
    const auto visit = [&](const Beside& both) {
        const auto blocks = differing_blocks(files.files[both.file], both);
        const std::lock_guard lock(mutex);
        result.pages += both.now.size() / kBlockSize;
        for (const auto block : blocks) result.differ.push_back({both.file, block});
    };
    result.read =
        read_beside(repository, area, files, choose(files.files, plans, options), {options.jobs, options.limit}, visit, cancellation);
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
