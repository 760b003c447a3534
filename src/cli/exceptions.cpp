#include "cli/exceptions.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <new>
#include <string>
#include <system_error>

namespace howdah::cli {

namespace {

using base::Failure;
using base::FailureKind;
namespace fs = std::filesystem;

bool lies_in_repository(const fs::path& path, const base::Config& config) {
    constexpr std::string_view kFileScheme = "file://";
    for (const auto& [name, repository] : config.repositories) {
        if (!repository.url.starts_with(kFileScheme)) continue;
        const auto relative =
            path.lexically_normal().lexically_relative(fs::path(repository.url.substr(kFileScheme.size())).lexically_normal());
        if (!relative.empty() && *relative.begin() != "..") return true;
    }
    return false;
}

Failure of_files(const fs::filesystem_error& error, const base::Config& config) {
    const auto kind = lies_in_repository(error.path1(), config) ? FailureKind::repository : FailureKind::operation;
    const auto paths = error.path2().empty() ? error.path1().string() : error.path1().string() + " and " + error.path2().string();
    const base::SystemFailure failure(kind, fmt::format("cannot work on {}", paths.empty() ? "a file" : paths), error.code().value());
    if (!failure.hint().empty()) return failure;
    return Failure(kind, failure.what(), "look at that path and at this user's rights to it, then run the command again");
}

}  // namespace

Failure as_failure(const std::exception& exception, const base::Config& config) {
    if (const auto* failure = dynamic_cast<const Failure*>(&exception)) return *failure;
    if (const auto* error = dynamic_cast<const fs::filesystem_error*>(&exception)) return of_files(*error, config);
    if (dynamic_cast<const std::bad_alloc*>(&exception))
        return Failure(FailureKind::operation, fmt::format("the memory is not enough: {}", exception.what()),
                       "give fewer --jobs, or this process more memory");
    if (dynamic_cast<const std::system_error*>(&exception))
        return Failure(FailureKind::operation, fmt::format("the system refused: {}", exception.what()),
                       "look at the limits of this user (ulimit -a) for processes, threads and open files");
    return Failure(FailureKind::operation, fmt::format("unexpected failure: {}", exception.what()),
                   "this is a fault of howdah; please report it with the command and its output");
}

}  // namespace howdah::cli
