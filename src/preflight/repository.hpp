#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "preflight/finding.hpp"

namespace howdah::preflight {

class Looker;

/// The folder of a "file://" URL; none for other stores.
std::optional<std::filesystem::path> repository_folder(const std::string& url);

Finding judge_encryption(bool encrypted);
/// The permission bits of a key file.
Finding judge_key_mode(const std::filesystem::path& file, unsigned mode);
/// The newest whole backup's age; none when there is none.
Finding judge_latest_backup(const std::string& id, std::optional<base::Duration> age, base::Duration wanted);
Finding judge_damaged(const std::vector<std::string>& damaged);
Finding judge_place_of_repository(bool same_file_system, const std::string& folder);
Finding judge_gaps(const std::vector<std::string>& gaps);

void look_at_repository(Looker& looker);

}  // namespace howdah::preflight
