#include "sample/scripts.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"
#include "samples/files.hpp"

namespace howdah::sample {
namespace {

constexpr std::string_view kSuffix = ".sql";

base::Failure missing(std::string_view what) {
    return {base::FailureKind::operation, fmt::format("the program lacks its sample SQL: {}", what), "build it again from clean sources"};
}

}  // namespace

std::vector<Script> scripts(std::string_view folder) {
    const auto prefix = fmt::format("marketplace/{}/", folder);
    std::vector<Script> found;
    for (const auto& file : samples::files()) {
        if (!file.path.starts_with(prefix)) continue;
        const auto name = file.path.substr(prefix.size(), file.path.size() - prefix.size() - kSuffix.size());
        found.push_back({std::string(name), file.text});
    }
    if (found.empty()) throw missing(prefix);
    return found;
}

std::string_view finish_script() {
    constexpr std::string_view kPath = "marketplace/finish.sql";
    for (const auto& file : samples::files()) {
        if (file.path == kPath) return file.text;
    }
    throw missing(kPath);
}

}  // namespace howdah::sample
