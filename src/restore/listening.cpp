#include "restore/listening.hpp"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <sstream>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "postgres/config_text.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> list_of(const std::string& value) {
    std::vector<std::string> all;
    std::istringstream words(value);
    for (std::string word; std::getline(words, word, ',');) {
        const auto first = word.find_first_not_of(" \t\""), last = word.find_last_not_of(" \t\"");
        if (first != std::string::npos) all.push_back(word.substr(first, last - first + 1));
    }
    return all;
}

/// Whether binding fails because a socket listens there, or on every address.
bool is_taken(const addrinfo& address) {
    const base::File probe(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!probe.is_open()) return false;
    const int yes = 1;
    ::setsockopt(probe.descriptor(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address.ai_family == AF_INET6) ::setsockopt(probe.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    return ::bind(probe.descriptor(), address.ai_addr, address.ai_addrlen) != 0 && errno == EADDRINUSE;
}

/// An address that this host does not know or does not have is the server's own trouble.
bool tcp_taken(const std::string& name, int port) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    if (::getaddrinfo(name == "*" ? nullptr : name.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
    for (const addrinfo* each = found; each; each = each->ai_next)
        if (is_taken(*each)) return true;
    return false;
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
            listening.addresses = list_of(value);
        else if (setting->name == "unix_socket_directories") {
            const auto folders = list_of(value);
            listening.sockets.assign(folders.begin(), folders.end());
        }
    }
    if (port) listening.port = *port;
    return listening;
}

void require_free(const Listening& listening) {
    for (const auto& folder : listening.sockets) {
        const auto path = folder / fmt::format(".s.PGSQL.{}", listening.port);
        if (socket_answers(path)) refuse(listening.port, "a server answers at " + path.string());
    }
    for (const auto& address : listening.addresses)
        if (tcp_taken(address, listening.port))
            refuse(listening.port, fmt::format("something listens on it at {}", address == "*" ? "an address of this host" : address));
}

}  // namespace howdah::restore
