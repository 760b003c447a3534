#pragma once

#include <cstddef>

namespace howdah::tests {

/// Allocations by operator new of this thread so far; libpq's own are not among them.
std::size_t allocations() noexcept;

}  // namespace howdah::tests
