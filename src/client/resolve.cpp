#include "client/resolve.hpp"

#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <utility>

#include "client/expendable.hpp"

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

struct Lookup::State {
    State() : descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~State() {
        if (descriptor >= 0) ::close(descriptor);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void give(Addresses addresses) {
        {
            const std::lock_guard lock(mutex);
            answer = std::move(addresses);
        }
        const std::uint64_t one = 1;
        // The counter of a fresh eventfd has room, so this write cannot fail.
        [[maybe_unused]] const auto written = ::write(descriptor, &one, sizeof one);
    }

    const int descriptor;
    std::mutex mutex;
    std::optional<Addresses> answer;
};

Lookup::Lookup(Resolver resolver, const std::string& host) : state_(std::make_shared<State>()) {
    if (state_->descriptor < 0) {
        state_->give({{}, std::strerror(errno)});
        return;
    }
    const bool started = run_expendable([state = state_, resolver = std::move(resolver), host] {
        try {
            state->give(resolver(host));
        } catch (const std::exception& failure) {
            state->give({{}, failure.what()});
        }
    });
    if (!started) state_->give({{}, "no thread could be started for the look-up"});
}

int Lookup::descriptor() const { return state_->descriptor; }

std::optional<Addresses> Lookup::answer() const {
    const std::lock_guard lock(state_->mutex);
    return state_->answer;
}

}  // namespace howdah::inline v0
