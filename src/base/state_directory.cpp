#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/config.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/process.hpp"

namespace howdah::base {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSystemFolder = "/var/lib/howdah";

bool is_writable(const fs::path& folder) { return ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0; }

/// XDG Base Directory Specification: $XDG_STATE_HOME when absolute, otherwise ~/.local/state.
fs::path user_folder() {
    if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state == '/') return fs::path(state) / "howdah";
    const char* home = std::getenv("HOME");
    return (home && *home == '/' ? fs::path(home) : current_user().home) / ".local/state/howdah";
}

/// Whether the folder is there, made if need be, and ours to write; other failures than missing rights are failures.
bool usable(const fs::path& folder) {
    try {
        create_directories_durably(folder, 0700, FailureKind::configuration);
    } catch (const SystemFailure& failure) {
        if (failure.error() == EACCES || failure.error() == EPERM || failure.error() == EROFS) return false;
        throw;
    }
    return is_writable(folder);
}

}  // namespace

fs::path state_directory(const Config& config) {
    const fs::path& configured = config.state.directory;
    if (!configured.empty() && usable(configured)) return configured;
    if (configured.empty() && is_writable(kSystemFolder)) return kSystemFolder;
    const fs::path own = user_folder();
    if (!usable(own))
        throw Failure(FailureKind::configuration, "no writable state folder: " + own.string(),
                      "set state.directory to a folder that this user may write");
    std::error_code error;
    if (!configured.empty() || fs::exists(kSystemFolder, error))
        log_warning("user {} may not write the state folder {}: the journal and caches are in {} instead", current_user().name,
                    configured.empty() ? kSystemFolder : configured.string(), own.string());
    return own;
}

}  // namespace howdah::base
