#pragma once

#include <functional>
#include <string>

#include "inside.hpp"

namespace howdah::tests {

/// One operation of which every call of the store fails once.
struct Sweep {
    std::string operation;  ///< As people say it: "backup run, full".
    /// Makes everything ready for one run.
    std::function<void()> prepare;
    std::function<Ended(const Fault&)> run;
    /// After a run, with a fault or without: whether what it says of itself is so, and whether the plain command then works.
    std::function<void(const Ended&)> judge;
    unsigned points = 24;     ///< Of the sample in `./run test`.
    int other_exit_code = 0;  ///< Allowed beside 0 to 6.
};

/// Runs the operation without a fault, then once for each call and each shape of its failing: all of them with HOWDAH_TEST_FAULTS=all, one
/// with "17:cut", else a sample, of 100 with "100": first and last call of each kind and shape, and even, seeded steps between
/// (HOWDAH_TEST_SEED). Prints a line that begins with "RESULT".
void sweep(const Sweep& sweep);

}  // namespace howdah::tests
