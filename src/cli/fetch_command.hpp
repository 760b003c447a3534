#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "repository/repository.hpp"
#include "restore/recovery_settings.hpp"

namespace howdah::cli {

/// Where a restored server will get its WAL from: the backup's repository, and the others that WAL goes to and that can be opened now.
struct WalSources {
    std::vector<std::string> names;  ///< In the order in which they are asked.
    std::vector<repository::Repository> others;
};
/// One that cannot be opened is left out with a warning: asked for each segment it would end the recovery at the first that no other has,
/// since an outage proves no absence.
WalSources wal_sources(const Context& context);

/// The command line a restored server calls for WAL: this binary, this configuration file, that cluster and those repositories. For a
/// standby an outage means that streaming goes on.
restore::FetchCommand fetch_command(const Context& context, const std::string& cluster, const std::vector<std::string>& repositories,
                                    bool standby = false);

}  // namespace howdah::cli
