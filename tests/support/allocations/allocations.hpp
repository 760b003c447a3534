#pragma once

#include <cstddef>

namespace howdah::tests {

/// How often this thread has called operator new so far; what C libraries such as libpq take with malloc is not among it, except under a
/// sanitizer. The program that compiles allocations.cpp in has its operator new replaced for this, which is why the tests' library does
/// not hold it.
std::size_t allocations() noexcept;

}  // namespace howdah::tests
