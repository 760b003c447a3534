#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "preflight/finding.hpp"

namespace howdah::preflight {

class Looker;

struct TlsFacts {
    bool server_on = false;
    bool own_encrypted = false;
    bool own_by_socket = false;
    std::string listen_addresses;
    std::int64_t plain_sessions = 0;  ///< Others over the network without TLS now.
};
/// Findings `tls` (the server and who connects to it) and `own_connection`.
Findings judge_tls(const TlsFacts& facts);

/// `md5_roles`: roles whose stored password is md5; none when the role may not see it.
Findings judge_passwords(const std::string& encryption, const std::optional<std::int64_t>& md5_roles);

/// A line of pg_hba.conf.
struct HbaLine {
    int number = 0;
    std::string type, databases, users, address, netmask, method, error;
};
/// Whether the line lets other hosts in: a host type with an address beyond loopback.
bool is_for_other_hosts(const HbaLine& line);
Findings judge_hba(const std::vector<HbaLine>& lines);

void look_at_security(Looker& looker);

}  // namespace howdah::preflight
