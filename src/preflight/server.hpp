#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/units.hpp"
#include "preflight/finding.hpp"

namespace howdah::preflight {

class Looker;

/// `version` as libpq gives it (150018); `text` as the server prints it.
Finding judge_version(int version, const std::string& text);

struct RoleFacts {
    std::string name;
    int server_major = 0;
    bool superuser = false;
    bool may_backup = false;   ///< EXECUTE on the functions that start and stop a backup.
    bool may_monitor = false;  ///< Member of pg_monitor.
    bool may_switch = false;   ///< EXECUTE on pg_switch_wal().
};
Finding judge_role(const RoleFacts& role);

struct DataDirectoryFacts {
    std::filesystem::path path;  ///< Empty: neither configured nor readable from the server.
    std::string user;            ///< Who we are.
    bool exists = false;
    std::optional<std::filesystem::path> unreadable;  ///< The first thing in it that we may not read.
    base::SystemIdentifier of_server;
    std::optional<base::SystemIdentifier> of_directory;
    std::optional<std::string> of_another = std::nullopt;  ///< Why it is another server's of the same cluster.
};
Finding judge_data_directory(const DataDirectoryFacts& facts);

void look_at_server(Looker& looker);

}  // namespace howdah::preflight
