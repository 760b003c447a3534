#pragma once

#include "repository/manifest.hpp"
#include "restore/target_directory.hpp"

namespace howdah::restore {

/// Failure(operation) when this user cannot make one of the destinations, or when the files to be restored do not fit into what is free
/// on their file systems; what a killed run left in a destination counts as free. WAL that recovery fetches comes on top and is not counted.
void require_room(const Destinations& destinations, const repository::Root& root);

}  // namespace howdah::restore
