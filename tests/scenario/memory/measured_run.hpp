#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/protected_server.hpp"

namespace howdah::tests {

struct MeasuredRun {
    int exit_code = 0;
    std::uint64_t peak_bytes = 0;  ///< Resident memory at its highest, as the kernel counted it (ru_maxrss).
    double seconds = 0;
    std::string output;  ///< Both outputs.
};

/// Runs the program as users have it, with the protected server's configuration and as its user.
MeasuredRun run_measured(ProtectedServer& protectee, const std::vector<std::string>& words);

}  // namespace howdah::tests
