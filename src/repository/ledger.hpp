#pragma once

#include <map>
#include <string>
#include <vector>

#include "repository/repository.hpp"

namespace howdah::repository {

/// What exists, written at the end of every operation that adds or removes something: the newest link of every chain, the newest root
/// and the number of roots of every cluster, the key slots and the ends of every archived timeline. Chains show a missing link by the
/// one after it; the ledger shows a missing last one, and the other chains show a missing ledger entry.
void write_ledger(const Repository& repository);

/// Differences between the newest ledger entry and what is there: each a sentence naming the object.
std::vector<std::string> compare_ledger(const Repository& repository);

}  // namespace howdah::repository
