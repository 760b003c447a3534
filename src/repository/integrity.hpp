#pragma once

#include <string>
#include <vector>

#include "repository/repository.hpp"
#include "repository/verify.hpp"

namespace howdah::repository {

/// A chain that a repository has.
struct ChainPlace {
    Kind kind;
    std::string prefix;
};
/// The chains of the repository, the ledger first, and of the areas of `cluster` (all when empty).
std::vector<ChainPlace> chains_of(const Repository& repository, const std::string& cluster);
/// Throws DamageFailure for a link whose body is not what its chain holds.
void check_body(Kind kind, const std::string& body, const std::string& name);

/// Marker and key slots: their form and their tags.
std::vector<Damage> check_lines(const Repository& repository);
/// Every chain of the repository and of the areas of `cluster` (all when empty): links in a row, each naming the one before it, bodies
/// that can be read.
std::vector<Damage> check_chains(const Repository& repository, const std::string& cluster);
/// Leases whose newest link is held by nobody alive.
std::vector<Damage> find_dead_leases(const Repository& repository, const std::string& cluster);

}  // namespace howdah::repository
