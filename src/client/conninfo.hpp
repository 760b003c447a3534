#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// One entry of a connection string's host list. `host` is a name, an address or a socket folder, libpq's default where the string has
/// none; empty only beside an address.
struct HostEntry {
    std::string host;
    std::string address;  ///< The matching hostaddr, or empty.
    std::string port;
};

/// What libpq makes of a connection string with its service file and the PG* environment, as far as dialling needs it.
struct Conninfo {
    std::vector<HostEntry> hosts;  ///< At least one.
    std::string target_session_attrs;
    std::string options;
    std::string user;
    std::string database;
    std::optional<std::chrono::seconds> connect_timeout;  ///< For each address, as libpq has it.
};

/// Keywords of libpq that win over the connection string.
using Keywords = std::vector<std::pair<std::string, std::string>>;

/// Reads the string (key=value or URI) the way libpq would, without touching the network. Files named in it are read.
Result<Conninfo> read_conninfo(const std::string& conninfo, const Keywords& overrides);

/// Whether libpq takes a host for the folder of a Unix socket.
bool is_socket_folder(std::string_view host);

}  // namespace howdah::inline v0
