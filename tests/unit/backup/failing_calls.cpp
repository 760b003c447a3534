#include "failing_calls.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace howdah::backup {

namespace {

std::string failing_end;

bool fails(const std::string& path) { return !failing_end.empty() && path.ends_with(failing_end); }

template <typename Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

FailingCalls::FailingCalls(std::string path_end) { failing_end = std::move(path_end); }
FailingCalls::~FailingCalls() { failing_end.clear(); }

namespace calls {

using ReadDirectory = dirent* (*)(DIR*);
using ReadLink = ssize_t (*)(const char*, char*, std::size_t);

/// The first entry is still given: a disk often breaks in the middle.
dirent* read_directory(DIR* folder) {
    const auto path = "/proc/self/fd/" + std::to_string(::dirfd(folder));
    char target[4096];
    const auto length = real<ReadLink>("readlink")(path.c_str(), target, sizeof target);
    if (length > 0 && fails(std::string(target, static_cast<std::size_t>(length))) && ::telldir(folder) != 0) {
        errno = EIO;
        return nullptr;
    }
    return real<ReadDirectory>("readdir64")(folder);
}

ssize_t read_link(const char* path, char* into, std::size_t size) {
    if (fails(path)) {
        errno = EIO;
        return -1;
    }
    return real<ReadLink>("readlink")(path, into, size);
}

}  // namespace calls
}  // namespace howdah::backup

extern "C" {
// The executable's own definitions go before the C library's.
dirent* readdir(DIR* folder) { return howdah::backup::calls::read_directory(folder); }
ssize_t readlink(const char* path, char* into, std::size_t size) noexcept { return howdah::backup::calls::read_link(path, into, size); }
}
