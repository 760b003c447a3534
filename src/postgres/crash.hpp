#pragma once

#include <sys/types.h>

#include <filesystem>

namespace howdah::postgres {

/// kill -9 of a postmaster and all its children at once, and waits until none is left. Removes the dynamic shared memory that the dead
/// server leaves in /dev/shm.
void crash_postmaster(pid_t postmaster);

/// Removes the System V segment that a crashed server named in its lock file; for a server that will not start again. Without a lock
/// file there is none.
void remove_interlock(const std::filesystem::path& lock_file);

/// Whether the process exists and is not a zombie.
bool process_runs(pid_t pid);

}  // namespace howdah::postgres
