#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "postgres/scratch.hpp"
#include "postgres/session.hpp"
#include "preflight/preflight.hpp"

namespace howdah::preflight {

/// What the scenarios share: options for a scratch server, a finding by its name, waiting for something to become true.
inline Options options_for(const postgres::ScratchServer& server) {
    Options options;
    options.cluster.name = "main";
    options.cluster.conninfo = server.conninfo();
    options.cluster.data_directory = server.data_directory();
    return options;
}

inline Finding finding_of(const Findings& findings, const std::string& check) {
    for (const auto& finding : findings)
        if (finding.check == check) return finding;
    ADD_FAILURE() << "no finding " << check;
    return {};
}

inline Finding look_for(const postgres::ScratchServer& server, const std::string& name) {
    return finding_of(check(options_for(server)), name);
}

inline bool eventually(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

inline postgres::ScratchOptions small_server(std::map<std::string, std::string> settings = {}) {
    postgres::ScratchOptions options;
    options.shared_buffers = {16u << 20};
    options.settings = std::move(settings);
    return options;
}

}  // namespace howdah::preflight
