#pragma once

#include <atomic>
#include <cstdint>

#include "client/endpoint/endpoint.hpp"
#include "client/endpoint/keeper.hpp"
#include "howdah/client.hpp"

namespace howdah {

/// What a Client points to.
class ClientState {
public:
    explicit ClientState(ClientOptions given);

    const ClientOptions options;
    const std::string key_insert;
    Endpoint endpoint;
    Keeper keeper;
    std::atomic<std::uint64_t> retries_contention{0};
    std::atomic<std::uint64_t> retries_failure{0};
    std::atomic<std::uint64_t> unknown_commits{0};
    std::atomic<std::uint64_t> resolved_commits{0};
};

}  // namespace howdah
