#include "archive/server_runs.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "postgres/same_server.hpp"

namespace howdah::archive {

namespace {

namespace fs = std::filesystem;

bool same_folder(const struct stat& one, const struct stat& other) { return one.st_dev == other.st_dev && one.st_ino == other.st_ino; }

/// As PostgreSQL does at its own start, a process of another user than the data directory's is not taken for the server.
bool may_serve(pid_t pid, const fs::path& data_directory) {
    struct stat data{}, at{};
    if (::stat(data_directory.c_str(), &data) != 0) return true;
    if (::kill(pid, 0) != 0 && (errno == ESRCH || (errno == EPERM && data.st_uid == ::geteuid()))) return false;
    if (::stat(fmt::format("/proc/{}/cwd", pid).c_str(), &at) == 0) return same_folder(data, at);
    const bool seen = ::access(fmt::format("/proc/{}/stat", pid).c_str(), F_OK) == 0;
    return !seen || base::process_start_ticks(pid).has_value();  // Seen and without a start time: dead and not yet reaped.
}

bool is_server(const std::string& name) { return name.find("postgres") != std::string::npos || name.starts_with("postmaster"); }

/// Whether any server process works in the data directory: one of a container is seen here under another number, and what a killed
/// postmaster left may still write.
bool works_in(const fs::path& data_directory) {
    struct stat data{}, at{};
    if (::stat(data_directory.c_str(), &data) != 0) return false;
    std::error_code error;
    for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
        const auto& process = entry->path();
        if (::stat((process / "cwd").c_str(), &at) != 0 || !same_folder(data, at)) continue;
        std::string name;
        std::getline(std::ifstream(process / "comm") >> std::ws, name);
        if (is_server(name)) return true;
    }
    return false;
}

bool answers(const fs::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = socket.string();
    if (name.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, name.c_str(), name.size());
    const base::File probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!probe.is_open()) return true;
    // EAGAIN: somebody listens and has no time; EACCES: it cannot be told.
    return ::connect(probe.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN ||
           errno == EACCES;
}

/// The lock file beside a socket says whose it is, in the words of postmaster.pid.
bool is_anothers(const fs::path& socket, const postgres::PostmasterFile& own) {
    try {
        const auto text = base::read_file_if_exists(socket.string() + ".lock");
        const auto lock = text ? postgres::parse_postmaster_file(*text) : std::nullopt;
        return lock && (lock->pid != own.pid || lock->started != own.started);
    } catch (const base::SystemFailure&) {
        return false;  // It may not be read: nothing is known.
    }
}

bool socket_answers(const std::string& text) {
    const auto own = postgres::parse_postmaster_file(text);
    std::array<std::string, 5> lines;  // pid, data directory, start, port, socket folder.
    std::istringstream in(text);
    for (std::string& line : lines) std::getline(in, line);
    if (!own || lines[3].empty() || lines[4].empty()) return false;
    const auto socket = fs::path(lines[4]) / (".s.PGSQL." + lines[3]);
    return answers(socket) && !is_anothers(socket, *own);
}

}  // namespace

bool server_runs(const fs::path& data_directory) {
    if (works_in(data_directory)) return true;
    const auto text = base::read_file_if_exists(data_directory / "postmaster.pid");
    if (!text) return false;
    const auto pid = static_cast<pid_t>(std::labs(std::strtol(text->c_str(), nullptr, 10)));  // Negative: a single-user server.
    if (pid > 0 && may_serve(pid, data_directory)) return true;
    return socket_answers(*text);
}

}  // namespace howdah::archive
