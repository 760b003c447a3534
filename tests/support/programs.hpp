#pragma once

#include <filesystem>

/// The programs and folders that tests drive. The environment goes before what the build wrote down, because the test runner copies
/// the programs to a readable place when the source tree lies where the servers' user cannot go (a clone in /root).
namespace howdah::tests {

/// The program as users have it. Environment: HOWDAH_TEST_PROGRAM.
std::filesystem::path howdah_program();

/// The same program with fault points and guards that the environment switches. Environment: HOWDAH_TEST_HOOKS_PROGRAM.
std::filesystem::path howdah_hooks_program();

/// The root of the source tree. Servers run as another user and may be unable to read it.
std::filesystem::path source_folder();

}  // namespace howdah::tests
