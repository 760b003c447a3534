#pragma once

#include <string>

#include "cli/context.hpp"
#include "restore/recovery_settings.hpp"

namespace howdah::cli {

/// The command line a restored server calls for WAL: this binary, this configuration file, that cluster and repository. For a
/// standby an outage means that streaming goes on.
restore::FetchCommand fetch_command(const Context& context, const std::string& cluster, bool standby = false);

}  // namespace howdah::cli
