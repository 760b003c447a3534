#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/failure.hpp"
#include "postgres/scratch.hpp"

namespace howdah::postgres {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

namespace {

bool holds_server(const fs::path& folder) { return ::access((folder / "postgres").c_str(), X_OK) == 0; }

/// Debian's folders, the highest version first.
std::map<int, fs::path, std::greater<>> debian_folders() {
    std::map<int, fs::path, std::greater<>> found;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", absent)) {
        const std::string name = entry.path().filename().string();
        int major = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), major).ptr != name.data() + name.size()) continue;
        if (holds_server(entry.path() / "bin")) found.emplace(major, entry.path() / "bin");
    }
    return found;
}

std::vector<fs::path> path_folders() {
    std::vector<fs::path> folders;
    const char* value = std::getenv("PATH");
    for (std::string_view rest = value != nullptr ? value : ""; !rest.empty();) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        if (colon > 0) folders.emplace_back(rest.substr(0, colon));
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    return folders;
}

}  // namespace

fs::path find_programs(int major, const fs::path& configured) {
    if (!configured.empty()) {
        if (holds_server(configured)) return configured;
        throw Failure(FailureKind::configuration, fmt::format("looking for PostgreSQL's programs: no postgres in {}", configured.string()),
                      "name the folder that holds postgres, initdb and pg_ctl, such as /usr/lib/postgresql/15/bin");
    }
    const auto fits = [&](const fs::path& folder) { return holds_server(folder) && (major == 0 || program_version(folder) == major); };
    if (const char* named = std::getenv("HOWDAH_PG_BIN"); named != nullptr && *named != '\0') {
        if (!holds_server(named)) {
            throw Failure(FailureKind::configuration,
                          fmt::format("looking for PostgreSQL's programs: no postgres in HOWDAH_PG_BIN={}", named),
                          "set it to the folder that holds postgres, initdb and pg_ctl, or unset it");
        }
        if (fits(named)) return named;
    }
    for (const auto& [version, folder] : debian_folders()) {
        if (major == 0 || major == version) return folder;
    }
    for (const auto& folder : path_folders()) {
        if (fits(folder)) return folder;
    }
    throw Failure(FailureKind::configuration,
                  fmt::format("looking for PostgreSQL's programs: none{} in /usr/lib/postgresql or PATH",
                              major == 0 ? "" : fmt::format(" of version {}", major)),
                  fmt::format("install postgresql{}, or set HOWDAH_PG_BIN to its bin folder", major == 0 ? "" : fmt::format("-{}", major)));
}

int program_version(const fs::path& programs) {
    const auto result = base::run_process_checked("asking postgres for its version", {(programs / "postgres").string(), "--version"});
    constexpr std::string_view kMark = "(PostgreSQL) ";
    const std::size_t at = result.output.find(kMark);
    int major = 0;
    if (at != std::string::npos) {
        const char* start = result.output.data() + at + kMark.size();
        std::from_chars(start, result.output.data() + result.output.size(), major);
    }
    if (major == 0)
        throw Failure(FailureKind::configuration, "asking postgres for its version: \"" + result.output + "\"",
                      "is that PostgreSQL's own program?");
    return major;
}

}  // namespace howdah::postgres
