#include "bench/client/allocations.hpp"

#include <cstddef>

// malloc(3) of the whole program, libpq's included, counted for the calling thread. glibc lets a program put its own in front of its
// own ones under their other names.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);

namespace {
thread_local std::uint64_t made = 0;
}

void* malloc(std::size_t size) {
    ++made;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    ++made;
    return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
    ++made;
    return __libc_realloc(block, size);
}
}

std::uint64_t allocations_of_this_thread() { return made; }
