#pragma once

#include <filesystem>
#include <memory>

#include "storage/store.hpp"

namespace howdah::storage {

/// A store in a folder of a file system. An object is written to a file without a name (O_TMPFILE) and linked under its own name after
/// fdatasync, so that nothing is left when the process is killed; where the file system has no such files, a `.tmp-` file stands in and
/// `leftovers` finds what a kill left of it. New folders are 0700, objects 0400.
///
/// Once the marker object (`repository`) was seen, "no such object" is said only while the marker is still there: an unmounted disk
/// leaves an empty folder behind, which is a Failure and not an empty repository.
std::unique_ptr<Store> open_directory_store(const std::filesystem::path& root, bool create);

}  // namespace howdah::storage
