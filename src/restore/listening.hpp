#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace howdah::restore {

/// Where a server with certain settings will listen.
struct Listening {
    int port = 5432;
    std::vector<std::string> addresses{"localhost"};                    ///< listen_addresses; "*" is every one of this host.
    std::vector<std::filesystem::path> sockets{"/var/run/postgresql"};  ///< unix_socket_directories; Debian's default.
};

/// From the text of the configuration files in the order in which the server reads them; `port` overrules them.
Listening listening_of(const std::string& settings, std::optional<int> port);

/// Failure(operation) when somebody listens there already, with what to do: a restored copy beside the live server has its port. The same
/// port on an address that is not among the server's is none of its business.
void require_free(const Listening& listening);

}  // namespace howdah::restore
