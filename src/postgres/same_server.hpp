#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "postgres/cluster_facts.hpp"
#include "postgres/session.hpp"

namespace howdah::postgres {

/// What the lock file of a running server, DATA/postmaster.pid, says first (source: miscadmin.h, LOCK_FILE_LINE_*).
struct PostmasterFile {
    pid_t pid = 0;             ///< Line 1; negative for a single-user server.
    std::int64_t started = 0;  ///< Line 3, seconds since 1970.
};
/// None when the text is no whole lock file (the server is writing it).
std::optional<PostmasterFile> parse_postmaster_file(std::string_view text);

/// A standby, a clone and a server after failover have the system identifier of the cluster and often its paths too, on another host.
/// These two tell whether the session's server is the very one that runs on the files below `data_directory`, seen from this host. Both
/// give what speaks against it, for people, or none.

/// By the lock file: its server started when the connected one says that it did. And pg_control must be a standby's only if the
/// server is one.
std::optional<std::string> why_not_running_on(Session& session, const std::filesystem::path& data_directory);

/// By the checkpoint that a started backup of a primary has made: pg_control here must have it, be in production on the backup's timeline
/// and name the same latest checkpoint as the server does.
std::optional<std::string> why_not_started_on(Session& session, const BackupStarted& started, const std::filesystem::path& data_directory);

}  // namespace howdah::postgres
