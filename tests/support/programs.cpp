#include "support/programs.hpp"

#include <cstdlib>

namespace howdah::tests {
namespace {

std::filesystem::path from_environment_or(const char* name, const char* built) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : built;
}

}  // namespace

std::filesystem::path howdah_program() { return from_environment_or("HOWDAH_TEST_PROGRAM", HOWDAH_BINARY); }

std::filesystem::path howdah_hooks_program() { return from_environment_or("HOWDAH_TEST_HOOKS_PROGRAM", HOWDAH_HOOKS_BINARY); }

std::filesystem::path source_folder() { return HOWDAH_SOURCE_DIR; }

}  // namespace howdah::tests
