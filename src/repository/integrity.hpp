#pragma once

#include <string>
#include <vector>

#include "repository/repository.hpp"
#include "repository/verify.hpp"

namespace howdah::repository {

/// Marker and key slots: their form and their tags.
std::vector<Damage> check_lines(const Repository& repository);
/// Every chain of the repository and of the areas of `cluster` (all when empty): links in a row, each naming the one before it, bodies
/// that can be read.
std::vector<Damage> check_chains(const Repository& repository, const std::string& cluster);
/// Leases whose newest link is held by nobody alive.
std::vector<Damage> find_dead_leases(const Repository& repository, const std::string& cluster);

}  // namespace howdah::repository
