#include "restore/earlier_copy.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "archive/server_runs.hpp"
#include "base/failure.hpp"
#include "postgres/control_file.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

constexpr const char* kRightFolder = "--delta needs a stopped data directory of the same cluster, or a new folder; nothing was touched";

bool same_folder(const fs::path& one, const fs::path& other) {
    struct stat first{}, second{};
    return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/// A server opens no directory of another user, and this user could not set the permissions.
void require_own(const fs::path& folder) {
    struct stat facts{};
    if (::stat(folder.c_str(), &facts) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot look at {}", folder.string()), errno);
    if (facts.st_uid == ::geteuid()) return;
    throw Failure(FailureKind::operation,
                  fmt::format("{} belongs to user {}, this restore runs as user {}", folder.string(), facts.st_uid, ::geteuid()),
                  "run it as the user who owns the data directory; nothing was touched");
}

}  // namespace

bool links_tablespace(const fs::path& data_directory, const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator link(data_directory / "pg_tblspc", error), end; !error && link != end; link.increment(error)) {
        std::error_code ignored;
        if (fs::is_symlink(link->symlink_status(ignored)) && same_folder(link->path(), folder)) return true;
    }
    return false;
}

void require_no_server(const fs::path& data_directory) {
    if (!archive::server_runs(data_directory)) return;
    throw Failure(FailureKind::operation, fmt::format("a server runs in {}", data_directory.string()),
                  "stop it (pg_ctl stop, or its service) and run the restore again; nothing was touched");
}

void require_no_server_behind(const fs::path& tablespace) {
    std::error_code error;
    for (fs::directory_iterator process("/proc", error), end; !error && process != end; process.increment(error)) {
        std::error_code ignored;
        const auto at = fs::read_symlink(process->path() / "cwd", ignored);
        if (ignored || !fs::exists(at / "pg_tblspc", ignored) || !links_tablespace(at, tablespace) || !archive::server_runs(at)) continue;
        throw Failure(FailureKind::operation,
                      fmt::format("the tablespace folder {} is in use by the server in {}", tablespace.string(), at.string()),
                      "map the tablespace to another folder with --tablespace NAME=DIR; nothing was touched");
    }
}

void require_earlier_copy(const fs::path& data_directory, base::SystemIdentifier system) {
    std::error_code error;
    if (!fs::exists(data_directory / "PG_VERSION", error) || !fs::exists(data_directory / "global" / "pg_control", error))
        throw Failure(FailureKind::operation, fmt::format("the target is no data directory: {}", data_directory.string()), kRightFolder);
    const auto control = postgres::read_control_file(data_directory);
    if (control.system_identifier != system)
        throw Failure(FailureKind::operation,
                      fmt::format("the target is a data directory of another cluster: {} has system identifier {}, the backup {}",
                                  data_directory.string(), base::text(control.system_identifier), base::text(system)),
                      kRightFolder);
    require_own(data_directory);
    require_no_server(data_directory);
}

}  // namespace howdah::restore
