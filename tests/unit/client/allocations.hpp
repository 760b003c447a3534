#pragma once

#include <cstddef>

namespace howdah::tests {

/// How often this thread has called operator new so far; counted for the whole program.
std::size_t allocations();

}  // namespace howdah::tests
