#include "loading/library.hpp"

#include <dlfcn.h>

#include <string>

#include "base/failure.hpp"

namespace howdah::loading {

namespace {

[[noreturn]] void fail(const std::string& what, const char* package) {
    const char* reason = ::dlerror();
    throw base::Failure(base::FailureKind::operation, what + ": " + (reason ? reason : "no reason given"),
                        std::string("install Debian's package ") + package + ", or its like on this system");
}

}  // namespace

void* find_function(const char* library, const char* package, const char* function) {
    // The loader counts the calls and maps the library once. It is never given back: what it registered for the end of the process stays right.
    void* const handle = ::dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) fail(std::string("cannot load ") + library, package);
    void* const found = ::dlsym(handle, function);
    if (!found) fail(std::string("cannot find ") + function + " in " + library, package);
    return found;
}

}  // namespace howdah::loading
