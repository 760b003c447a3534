#pragma once

#include <string>
#include <vector>

#include "repository/repository.hpp"

namespace howdah::repository {

/// One difference between the newest ledger entry and the repository.
struct LedgerDifference {
    std::string object;
    std::string what;
    bool event = false;  ///< Of a chain of events, whose writers hold no lease: the ledger may be about to follow.
    bool ahead = false;  ///< The object is newer than the ledger: a died run leaves that, and so does a removed ledger entry.
};
std::vector<LedgerDifference> find_ledger_differences(const Repository& repository);

}  // namespace howdah::repository
