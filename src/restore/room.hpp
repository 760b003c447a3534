#pragma once

#include <cstdint>
#include <functional>

#include "repository/manifest.hpp"
#include "restore/target_directory.hpp"

namespace howdah::restore {

enum class Room { enough, unknown, too_little };
/// Whether bytes fit into what is free on a file system of this type (statfs(2), f_type). On btrfs, ZFS and bcachefs, which may compress,
/// more may fit than statfs tells: unknown.
Room judge_room(std::uint64_t needed, std::uint64_t free, long type);

/// Failure(operation) when this user cannot make one of the destinations, or when the files to be restored do not fit into what is free
/// on their file systems; what a killed run left in a destination counts as free. WAL that recovery fetches comes on top and is not counted.
/// Where the file system may compress it is a warning. `written` gives a tree's bytes without those that the restore leaves as holes; it
/// is asked only when the sizes of the files do not fit. None: every byte counts.
using WrittenBytes = std::function<std::uint64_t(const repository::TreeReference& tree)>;
void require_room(const Destinations& destinations, const repository::Root& root, const WrittenBytes& written = {});

}  // namespace howdah::restore
