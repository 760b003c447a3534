#pragma once

#include <filesystem>
#include <optional>

#include "journal/chain.hpp"

namespace howdah::journal {

/// journal.head beside the database: "number hash\n", the newest row as the last writer knew it. Written after the commit, never
/// moved back, so it may lag behind the database after a kill but is never ahead of it: when it is, rows were removed.
void remember_head(const std::filesystem::path& folder, const Head& head);
/// None when there is no such file. Failure(operation) when it cannot be read or is not such a line.
std::optional<Head> remembered_head(const std::filesystem::path& folder);

}  // namespace howdah::journal
