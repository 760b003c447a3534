#pragma once

#include <optional>
#include <string>

#include "postgres/session.hpp"

namespace howdah::archive {

/// What the server is told about archiving, now and from its next restart on.
struct ArchivingSettings {
    std::string mode;                    ///< archive_mode in force: off, on, always.
    std::string mode_to_come;            ///< After a restart; "unknown" when it differs and this role may not see the files.
    std::optional<std::string> command;  ///< None: hidden from this role.
    std::string library;                 ///< Empty before 15.
    bool in_recovery = false;
};
ArchivingSettings read_archiving_settings(postgres::Session& session);

/// Why the server archives nothing or will not after its next restart, as a sentence; empty when it does. A standby need not archive.
std::string why_not_archiving(const ArchivingSettings& settings);

/// The value that a setting which needs a restart will have then: that of the last line in the server's files, or the default without one.
/// None when nothing but the value in force is known, because this role may not see the files
/// or one of them cannot be read. archive_mode and wal_level are
/// given in the words that the server shows.
std::optional<std::string> value_after_restart(postgres::Session& session, const std::string& name);

}  // namespace howdah::archive
