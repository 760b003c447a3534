#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backup/file_list.hpp"
#include "backup/file_plan.hpp"
#include "backup/page_check.hpp"
#include "base/units.hpp"
#include "repository/manifest.hpp"

namespace howdah::backup {

/// A part of a file that one worker copies, or the whole of a small one, and what came of it. There are as many as files, and more.
struct Piece {
    std::uint32_t file = 0;  ///< Number in the list.
    bool small = false;
    bool vanished = false;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;      ///< With `parts` of these together.
    std::vector<ByteRange> parts;  ///< Only these are read; none: all from `offset` on.
    // What came of it:
    std::uint64_t read = 0;
    std::vector<repository::Extent> extents;
    std::unique_ptr<PageFindings> pages;  ///< Null: nothing was found.
};

/// Cuts what is to be copied of the files into pieces for so many workers, large ones first, so that the small ones fill the end. Without
/// plans every file is copied whole.
std::vector<Piece> cut_pieces(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, unsigned jobs);

/// What the copy of all files came to.
struct JoinedFiles {
    std::uint64_t files = 0;  ///< Folders and links not counted.
    base::Bytes bytes;        ///< Of all entries, those kept from the parent too.
    std::uint64_t vanished = 0;
    std::uint64_t bad_pages = 0;
    /// Files with bad pages that were not looked at again as long as the rule says, since page_waits was used up: "base/5/16397: 4064 pages".
    std::vector<std::string> hurried;
};

/// Makes the entries of the listed files from their copied pieces and what their plans keep, one after the other, sorted by path, with
/// inline extents. Files that vanished have none.
JoinedFiles join_pieces(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, std::vector<Piece> pieces,
                        const std::function<void(repository::FileEntry entry)>& visit);

}  // namespace howdah::backup
