#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "client/endpoint/endpoint.hpp"
#include "client/endpoint/keeper.hpp"
#include "howdah/client.hpp"

namespace howdah::inline v0 {

/// What a Client points to.
class ClientState {
public:
    ClientState(ClientOptions given, std::string database);

    const ClientOptions options;
    const std::string database;
    const std::string key_insert;
    // Of the options, what each call looks at, beside what it touches of the endpoint.
    const Duration query_time;
    const bool with_faults;
    Endpoint endpoint;
    Keeper keeper;
    std::array<std::atomic<std::uint64_t>, kRetryKinds> retries{};  ///< By Retry.
    std::atomic<std::uint64_t> unknown_commits{0};
    std::atomic<std::uint64_t> resolved_commits{0};
};

}  // namespace howdah::inline v0
