#include "repository/extents.hpp"

#include <algorithm>
#include <utility>

#include "base/failure.hpp"
#include "repository/object.hpp"

namespace howdah::repository {

void append_extent(std::vector<Extent>& extents, Extent extent) {
    if (!extents.empty() && extents.back().pack == extent.pack) {
        Extent& last = extents.back();
        const std::uint64_t end = last.position + last.length;
        if (extent.pack.empty() || (extent.frame == last.frame + end / kFrameBytes && extent.position == end % kFrameBytes)) {
            last.length += extent.length;
            return;
        }
    }
    extents.push_back(std::move(extent));
}

void ExtentCursor::move(std::uint64_t length, std::vector<Extent>* to) {
    while (length > 0) {
        if (at_ == extents_->size())
            throw base::Failure(base::FailureKind::operation, "a file's extents are shorter than the file", "run `howdah backup verify`");
        const Extent& extent = (*extents_)[at_];
        const std::uint64_t part = std::min(length, extent.length - used_);
        if (to) {
            // Every frame that an extent leaves is full.
            const std::uint64_t begin = extent.position + used_;
            if (extent.pack.empty())
                append_extent(*to, {part, {}, 0, 0});
            else
                append_extent(*to, {part, extent.pack, static_cast<std::uint32_t>(extent.frame + begin / kFrameBytes),
                                    static_cast<std::uint32_t>(begin % kFrameBytes)});
        }
        used_ += part;
        length -= part;
        if (used_ == extent.length) {
            ++at_;
            used_ = 0;
        }
    }
}

}  // namespace howdah::repository
