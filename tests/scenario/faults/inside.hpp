#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "faulty_store.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {

/// How a run of an operation ended.
struct Ended {
    int exit_code = 0;  ///< 128 + signal when a signal ended it; 142 when it hung.
    std::string output, errors;
    std::vector<Call> calls;
    bool struck = false;  ///< The fault happened.
    std::string where;    ///< "17:cut (read cluster/main/…)".

    bool succeeded() const { return exit_code == 0; }
};

/// Runs the program itself, with its own options, exit codes and change of user, in a child of this process in which the stores obey the
/// fault. Returns when the child and everything that it left behind have ended.
Ended run_inside(const std::vector<std::string>& words, const Environment& environment, const std::filesystem::path& folder,
                 const Fault& fault = {});

/// The same for a function instead of the program; what it throws is told as the program would.
Ended call_inside(const std::function<void()>& work, const Environment& environment, const std::filesystem::path& folder,
                  const Fault& fault = {});

}  // namespace howdah::tests
