#pragma once

#include <unistd.h>

#include <filesystem>

namespace howdah::journal {

/// Where a test's journal lives: in memory if there is such a place, so that hundreds of durable commits do not wait for a disk shared
/// with other tests. What is tested here, order and atomicity, does not depend on the disk.
inline std::filesystem::path memory_folder() { return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""; }

}  // namespace howdah::journal
