#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/units.hpp"

namespace howdah::archive {

/// What one setting was before `wal setup` first changed it, and what it was given.
struct RecordedSetting {
    std::string in_force;                ///< Value before; of a setting that waited for a restart, what it would have become.
    std::optional<std::string> written;  ///< In postgresql.auto.conf before; none: no line there.
    std::string given;                   ///< What was written by the last setup; empty with `given_reset`.
    bool given_reset = false;
};

/// The old values that `wal setup --undo` brings back: STATE/wal-setup/CLUSTER.json, written durably. A value
/// that is not UTF-8 stands there as {"hex": "…"}.
struct SetupRecord {
    base::SystemIdentifier system;
    std::map<std::string, RecordedSetting> settings;
};
std::filesystem::path setup_record_path(const std::filesystem::path& state_directory, const std::string& cluster);
/// None when there is none; Failure(operation) when it cannot be read or understood.
std::optional<SetupRecord> read_setup_record(const std::filesystem::path& path);
void write_setup_record(const std::filesystem::path& path, const SetupRecord& record);

}  // namespace howdah::archive
