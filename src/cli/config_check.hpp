#pragma once

#include <vector>

#include "base/config.hpp"

namespace howdah::cli {

/// What is wrong with a configuration beyond its keys and values: connection strings that libpq does not read, folders and key files that
/// are not there or that the user who does the work (as root: the one it becomes) cannot read, keys that others can read. A key file
/// that is missing is a problem only when its repository exists: `repo init` makes both. Touches neither server nor repository.
std::vector<base::ConfigProblem> look_deeper(const base::Config& config);

}  // namespace howdah::cli
