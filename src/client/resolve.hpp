#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/asked.hpp"

namespace howdah::inline v0 {

/// What a name look-up gave: numeric addresses in the order to try them, or none and the reason.
struct Addresses {
    std::vector<std::string> list;
    std::string failure;
};

/// Turns a host name into addresses; may block for ever. Called on an expendable thread.
using Resolver = std::function<Addresses(const std::string& host)>;

/// getaddrinfo(3).
Addresses resolve_by_system(const std::string& host);

/// Whether the text is a numeric IPv4 or IPv6 address (with or without a scope); asks no name server.
bool is_numeric_address(const std::string& host);

/// One look-up under way. Dropping it leaves its thread to end whenever the name server answers.
class Lookup : public Asked<Addresses> {
public:
    Lookup(Resolver resolver, const std::string& host);
};

}  // namespace howdah::inline v0
