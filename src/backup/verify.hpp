#pragma once

#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/repository.hpp"
#include "repository/verify.hpp"

namespace howdah::backup {

struct VerifyResult {
    std::vector<repository::Damage> damage;  ///< Of objects.
    std::vector<std::string> problems;       ///< Of backups: WAL missing, ledger differences.
    std::uint64_t objects = 0;
    base::Bytes bytes;
    std::size_t backups = 0;
    bool good() const { return damage.empty() && problems.empty(); }
};

/// Proves what is stored: every byte of every object authenticated, every manifest complete, the WAL of every backup there from start to
/// stop and without a gap to the newest archived segment of its timeline, the ledger in agreement. `cluster` empty: all. May run beside
/// anything else; `settle` as in repository/verify.hpp.
VerifyResult verify(const repository::Repository& repository, const std::string& cluster, unsigned jobs,
                    const base::Cancellation& cancellation, std::chrono::seconds settle = repository::kSettle);

}  // namespace howdah::backup
