#pragma once

#include <cstdint>
#include <vector>

#include "repository/manifest.hpp"

namespace howdah::repository {

/// Appends an extent, as one with the last where it goes on from it in a way the format allows.
void append_extent(std::vector<Extent>& extents, Extent extent);

/// Takes a file's extents apart again, from its beginning to its end. The extents must outlive it.
class ExtentCursor {
public:
    explicit ExtentCursor(const std::vector<Extent>& extents) : extents_(&extents) {}

    /// Passes over so many bytes.
    void skip(std::uint64_t length) { move(length, nullptr); }
    /// Appends the extents of the next so many bytes. Failure(operation) when there are fewer.
    void take(std::uint64_t length, std::vector<Extent>& to) { move(length, &to); }

private:
    void move(std::uint64_t length, std::vector<Extent>* to);

    const std::vector<Extent>* extents_;
    std::size_t at_ = 0;
    std::uint64_t used_ = 0;  ///< Of the extent at hand.
};

}  // namespace howdah::repository
