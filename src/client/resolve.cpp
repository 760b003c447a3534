#include "client/resolve.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace howdah::inline v0 {

Addresses resolve_by_system(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
    Addresses addresses;
    if (error != 0) {
        addresses.failure = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
        return addresses;
    }
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) continue;
        std::string address(text.data());
        if (std::find(addresses.list.begin(), addresses.list.end(), address) == addresses.list.end()) {
            addresses.list.push_back(std::move(address));
        }
    }
    ::freeaddrinfo(found);
    if (addresses.list.empty()) addresses.failure = "no address of a known family";
    return addresses;
}

bool is_numeric_address(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return false;
    ::freeaddrinfo(found);
    return true;
}

Lookup::Lookup(Resolver resolver, const std::string& host)
    : Asked(
          [resolver = std::move(resolver), host]() -> Addresses {
              try {
                  return resolver(host);
              } catch (const std::exception& failure) {
                  return {{}, failure.what()};
              }
          },
          {{}, "no thread or descriptor could be had for the look-up"}) {}

}  // namespace howdah::inline v0
