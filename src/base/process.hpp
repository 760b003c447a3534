#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/units.hpp"

namespace howdah::base {

/// A user of this host.
struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name;
    std::filesystem::path home;
};
/// None when no such user exists.
std::optional<User> find_user(const std::string& name);
User current_user();
/// Who owns a path; throws SystemFailure when it cannot be looked at.
User owner_of(const std::filesystem::path& path);
/// The groups the user is in, its own first.
std::vector<gid_t> groups_of(const User& user);

/// Makes this process that user for good: groups, gid, uid, HOME and USER. A no-op when it is that user already. Throws when root's
/// rights could be regained afterwards. Clears a parent-death signal set before (prctl(2)).
/// Called before any thread exists. DESIGN section 5: as root, all work runs as the data directory's owner.
void become(const User& user);

/// How a program is run. Arguments are passed as they are, never through a shell.
struct ProcessOptions {
    std::optional<User> user;                          ///< Drop to this user first (only root can).
    std::map<std::string, std::string> environment;    ///< Added to or replacing ours; an empty value removes the name.
    std::filesystem::path working_directory;           ///< Empty: ours, or / when that user may not enter ours.
    std::string input;                                 ///< Given on standard input; /dev/null when empty.
    std::optional<std::filesystem::path> output_file;  ///< Both outputs are appended there instead of being captured.
    Duration timeout = std::chrono::minutes(10);       ///< The program is killed and a Failure thrown when it takes longer.
    bool die_with_parent = true;                       ///< SIGKILL when the calling thread's process dies, even by kill -9.
};

struct ProcessResult {
    int exit_code = 0;  ///< 128 + signal when a signal ended it.
    std::string output;
    std::string errors;
};

/// Runs a program to its end, in a process group of its own. Throws Failure when it cannot be started or times out, Cancelled when a
/// stop is asked for; the whole group is killed then. A non-zero exit is the caller's to judge. Programs that it leaves behind (pg_ctl
/// does) are not waited for, even if they hold its outputs open. Thread-safe.
ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options = {},
                          const Cancellation& cancellation = {});

/// The same, but a non-zero exit throws Failure "`what` failed: exit code N: last lines of its error output".
ProcessResult run_process_checked(const std::string& what, const std::vector<std::string>& command, const ProcessOptions& options = {},
                                  const Cancellation& cancellation = {});

/// The start time of a process in clock ticks since boot (/proc/PID/stat); with the pid and the boot it names a process for good. None
/// when there is no such process or it is dead and only not yet reaped.
std::optional<std::uint64_t> process_start_ticks(pid_t pid);
/// Whether the process that had this number and start time is dead: gone, only not yet reaped (a container's first process may never
/// do that), or its number another's now. One that /proc hides from this user (hidepid) is told by the error of a signal that is not
/// sent.
bool process_has_ended(pid_t pid, std::uint64_t start_ticks);
/// The kernel's id of this boot.
std::string boot_identifier();
std::string host_name();

/// A command line for /bin/sh with each word quoted as needed.
std::string shell_quote(const std::vector<std::string>& words);
std::string shell_quote(const std::string& word);

/// The absolute path of this program's binary.
std::filesystem::path own_binary();

}  // namespace howdah::base
