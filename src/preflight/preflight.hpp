#pragma once

#include <optional>

#include "base/cancellation.hpp"
#include "base/config.hpp"
#include "preflight/finding.hpp"
#include "preflight/thresholds.hpp"

namespace howdah::preflight {

struct Options {
    base::ClusterConfig cluster;
    std::optional<base::RepositoryConfig> repository;  ///< None: a finding says so.
    base::Duration rpo = std::chrono::minutes(15);
    base::Duration backup_age = std::chrono::hours(26);
    bool prove_archiving = false;  ///< Switch a WAL segment and wait until it is in the repository.
    Thresholds thresholds;
    base::Cancellation cancellation;
};

/// Looks at everything and gives the findings in a fixed order of families, also those that are well. Throws Failure(server) when the
/// server cannot be reached or refuses the login, Failure(configuration) when the conninfo is wrong, Cancelled when told to stop; every
/// other trouble is a finding, "could not look: …". Changes nothing on the server but the segment switched for `prove_archiving`.
/// Each statement has a deadline, so that a locked catalog does not hold the check.
Findings check(const Options& options);

}  // namespace howdah::preflight
