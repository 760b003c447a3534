#include "postgres/detached.hpp"

#include <fmt/core.h>

#include <sstream>

#include "base/file.hpp"
#include "base/process.hpp"

namespace howdah::postgres {

namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

constexpr const char* kMark = "howdah-scratch-server";

/// The mark's lines: programs, private folder, conninfo.
struct Mark {
    std::string programs, folder, conninfo;
};

Mark read_mark(const fs::path& directory) {
    const auto text = base::read_file_if_exists(directory / kMark);
    if (!text)
        throw Failure(FailureKind::operation, fmt::format("not a scratch server: {}", directory.string()),
                      "`howdah scratch list` names those that were started");
    Mark mark;
    std::istringstream lines(*text);
    std::getline(lines, mark.programs);
    std::getline(lines, mark.folder);
    std::getline(lines, mark.conninfo);
    return mark;
}

bool runs(const fs::path& directory) {
    const auto text = base::read_file_if_exists(directory / "postmaster.pid");
    return text && base::process_start_ticks(static_cast<pid_t>(std::strtol(text->c_str(), nullptr, 10))).has_value();
}

/// A file of the registry for a directory: its path with slashes made safe.
fs::path entry_of(const fs::path& registry, const fs::path& directory) {
    std::string name;
    for (const char c : directory.string()) name += c == '/' ? std::string("%2F") : c == '%' ? std::string("%25") : std::string(1, c);
    return registry / name;
}

}  // namespace

void register_detached(const ScratchServer& server, const fs::path& registry) {
    const auto folder = server.workspace().parent_path().string();
    base::write_file_durably(server.data_directory() / kMark,
                             fmt::format("{}\n{}\n{}\n", server.programs().string(), folder, server.conninfo()));
    base::create_directories_durably(registry);
    base::write_file_durably(entry_of(registry, server.data_directory()), server.data_directory().string() + "\n");
}

void stop_detached(const fs::path& directory, const fs::path& registry) {
    const auto mark = read_mark(directory);
    if (runs(directory))
        base::run_process_checked("stopping the scratch server",
                                  {mark.programs + "/pg_ctl", "stop", "-D", directory.string(), "-m", "fast", "-w"});
    fs::remove_all(directory);
    fs::remove_all(mark.folder);
    fs::remove(entry_of(registry, directory));
}

std::vector<DetachedServer> list_detached(const fs::path& registry) {
    std::vector<DetachedServer> servers;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(registry, none)) {
        auto directory = base::read_file(entry.path());
        while (directory.ends_with('\n')) directory.pop_back();
        if (!fs::exists(fs::path(directory) / kMark)) continue;
        servers.push_back({directory, read_mark(directory).conninfo, runs(directory)});
    }
    return servers;
}

}  // namespace howdah::postgres
