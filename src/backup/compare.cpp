#include "backup/compare.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "backup/read_beside.hpp"
#include "postgres/page.hpp"

namespace howdah::backup {

namespace {

using postgres::kBlockSize;

StoredPieces gather(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans) {
    StoredPieces pieces;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (plans[i].kind != FilePlan::Kind::compare) continue;
        const std::uint64_t end = std::min(files[i].size, plans[i].stored_size);
        std::uint64_t at = 0;
        for (auto extent : plans[i].stored) {
            extent.length = std::min(extent.length, end - at);
            if (extent.length == 0) break;
            add_piece(pieces, static_cast<std::uint32_t>(i), at, extent);
            at += extent.length;
        }
    }
    return pieces;
}

/// Whole pages of a file that are not as they were stored.
std::vector<ByteRange> differing_pages(const Beside& both) {
    std::vector<ByteRange> pages;
    const std::size_t got = both.now.size();
    if (std::memcmp(both.now.data(), both.stored.data(), got) == 0) return pages;
    for (std::size_t at = 0; at < got;) {
        const std::uint64_t page = (both.offset + at) / kBlockSize * kBlockSize;
        const std::size_t part = std::min<std::size_t>(got - at, page + kBlockSize - (both.offset + at));
        if (std::memcmp(both.now.data() + at, both.stored.data() + at, part) != 0) pages.push_back({page, page + kBlockSize});
        at += part;
    }
    return pages;
}

/// Makes the plan of a compared file from the pages that differ.
void settle(const ListedFile& file, FilePlan& plan, std::vector<ByteRange> differ) {
    // The page in which the parent's copy ends is read with what lies behind it.
    if (file.size > plan.stored_size) differ.push_back({plan.stored_size / kBlockSize * kBlockSize, file.size});
    if (!differ.empty() && file.size <= repository::kFrameBytes) {
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

base::Bytes compare_files(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& list,
                          std::vector<FilePlan>& plans, const CopyOptions& options, const base::Cancellation& cancellation) {
    const auto& files = list.files;
    std::mutex mutex;
    std::map<std::uint32_t, std::vector<ByteRange>> differ;
    std::vector<bool> cut(files.size());  // Those that are gone, or shorter than they were when they were listed.
    const auto visit = [&](const Beside& both) {
        const auto pages = differing_pages(both);
        const bool is_cut = both.now.size() < both.stored.size();
        if (pages.empty() && !is_cut) return;
        const std::lock_guard lock(mutex);
        if (is_cut) cut[both.file] = true;
        auto& known = differ[both.file];
        known.insert(known.end(), pages.begin(), pages.end());
    };
    const auto read = read_beside(repository, area, list, gather(files, plans), {options.jobs, options.limit}, visit, cancellation);
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
