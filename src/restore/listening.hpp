#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace howdah::restore {

/// Where a server with certain settings will listen.
struct Listening {
    int port = 5432;
    bool tcp = true;                                                    ///< listen_addresses is not empty.
    std::vector<std::filesystem::path> sockets{"/var/run/postgresql"};  ///< unix_socket_directories; Debian's default.
};

/// From the text of the configuration files in the order in which the server reads them; `port` overrules them.
Listening listening_of(const std::string& settings, std::optional<int> port);

/// Failure(operation) when somebody listens there already, with what to do: a restored copy beside the live server has its port.
void require_free(const Listening& listening);

}  // namespace howdah::restore
