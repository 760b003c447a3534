#pragma once

#include <cstdint>

/// Calls of malloc, calloc and realloc by the calling thread since it began.
std::uint64_t allocations_of_this_thread();
