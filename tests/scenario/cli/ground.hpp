#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "support/protected_server.hpp"

namespace howdah::tests {

/// The server that the tests of this folder share, made at first use; they leave it as they found it.
ProtectedServer& shared_server();

/// Runs the program as this process's user, without a configuration file named unless the words name one; the state folder and HOME lie in
/// a temporary folder.
base::ProcessResult run_bare(const std::vector<std::string>& words, const Environment& environment = {});

/// Expects an exit code, and a part of what is said on both outputs; returns both.
std::string expect_answer(const base::ProcessResult& result, int exit_code, const std::vector<std::string>& parts);

}  // namespace howdah::tests
