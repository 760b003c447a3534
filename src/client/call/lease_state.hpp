#pragma once

#include <optional>
#include <stop_token>

#include "client/call/client_state.hpp"

namespace howdah::inline v0 {

/// What a Lease points to: the session until it is given back.
class LeaseState {
public:
    LeaseState(ClientState& client, const Grant& grant, const CallOptions& options)
        : client_(client), grant_(grant), deadline_(options.deadline), stop_(options.stop) {}
    ~LeaseState();
    LeaseState(const LeaseState&) = delete;
    LeaseState& operator=(const LeaseState&) = delete;

    Result<Rows> execute(Query query, const ParameterList& parameters);
    Session& session() noexcept { return client_.endpoint.session(grant_); }

private:
    Error note(const Error& error, const Query& query);

    ClientState& client_;
    Grant grant_;
    const Moment deadline_;
    const std::stop_token stop_;
    std::optional<Error> failure_;
};

}  // namespace howdah::inline v0
