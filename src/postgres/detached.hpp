#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "postgres/scratch.hpp"

namespace howdah::postgres {

/// Scratch servers that outlive the program which started them. A mark in the data directory makes it ours to remove; without it
/// nothing is touched. A list of them lies in `registry`, a folder of the user's own.
struct DetachedServer {
    std::filesystem::path directory;
    std::string conninfo;
    bool running = false;
};

/// Marks a server started with `detached` and enters it into the registry.
void register_detached(const ScratchServer& server, const std::filesystem::path& registry);
/// Stops the server in that directory and removes its data. Failure(operation) when the directory does not bear the mark.
void stop_detached(const std::filesystem::path& directory, const std::filesystem::path& registry);
/// Those registered whose directory still bears the mark.
std::vector<DetachedServer> list_detached(const std::filesystem::path& registry);

}  // namespace howdah::postgres
