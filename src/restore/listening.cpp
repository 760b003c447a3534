#include "restore/listening.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "postgres/config_text.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> folders_of(const std::string& value) {
    std::vector<fs::path> folders;
    std::istringstream words(value);
    for (std::string word; std::getline(words, word, ',');) {
        const auto first = word.find_first_not_of(" \t\""), last = word.find_last_not_of(" \t\"");
        if (first != std::string::npos) folders.emplace_back(word.substr(first, last - first + 1));
    }
    return folders;
}

/// Whether any address of this host has a listener on the port.
bool tcp_taken(int port) {
    const base::File probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!probe.is_open()) return false;
    const int yes = 1;
    ::setsockopt(probe.descriptor(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return ::bind(probe.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == EADDRINUSE;
}

bool socket_answers(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto name = path.string();
    if (name.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, name.c_str(), name.size());
    const base::File probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return probe.is_open() && ::connect(probe.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

[[noreturn]] void refuse(int port, const std::string& where) {
    throw base::Failure(base::FailureKind::operation, fmt::format("port {} of the restored server is in use: {}", port, where),
                        "give it another with --port N, or leave --start out, restore with --sandbox and start it yourself");
}

}  // namespace

Listening listening_of(const std::string& settings, std::optional<int> port) {
    Listening listening;
    std::istringstream lines(settings);
    for (std::string line; std::getline(lines, line);) {
        const auto setting = postgres::parse_setting_line(line);
        if (!setting) continue;
        const auto& value = setting->value;
        if (setting->name == "port")
            std::from_chars(value.data(), value.data() + value.size(), listening.port);
        else if (setting->name == "listen_addresses")
            listening.tcp = !value.empty();
        else if (setting->name == "unix_socket_directories")
            listening.sockets = folders_of(value);
    }
    if (port) listening.port = *port;
    return listening;
}

void require_free(const Listening& listening) {
    for (const auto& folder : listening.sockets) {
        const auto path = folder / fmt::format(".s.PGSQL.{}", listening.port);
        if (socket_answers(path)) refuse(listening.port, "a server answers at " + path.string());
    }
    if (listening.tcp && tcp_taken(listening.port)) refuse(listening.port, "something on this host listens on it");
}

}  // namespace howdah::restore
