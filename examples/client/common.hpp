#pragma once

#include <howdah/client.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

/// What all examples begin with: the server of the first argument, or of libpq's environment.
inline howdah::ClientOptions options_of(int argc, char** argv) {
    howdah::ClientOptions options;
    auto endpoint = howdah::read_url(argc > 1 ? argv[1] : "dbname=postgres");
    if (!endpoint) {
        std::fprintf(stderr, "%s\n", endpoint.error().message().c_str());
        std::exit(2);
    }
    options.endpoint = std::move(*endpoint);
    return options;
}

/// The value, or the end of the example with the error's words.
template <typename T>
T must(howdah::Result<T> result) {
    if (result) {
        if constexpr (std::is_void_v<T>)
            return;
        else
            return std::move(*result);
    }
    const howdah::Error& error = result.error();
    std::fprintf(stderr, "%s\nHINT: %s\nphase %s, cause %s, outcome %s, SQLSTATE %s\n", error.message().c_str(), error.hint().c_str(),
                 std::string(name(error.phase())).c_str(), std::string(name(error.cause())).c_str(),
                 std::string(name(error.outcome())).c_str(), std::string(error.sqlstate().view()).c_str());
    std::exit(1);
}
