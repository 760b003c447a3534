#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/cancellation.hpp"
#include "base/units.hpp"
#include "postgres/scratch.hpp"
#include "restore/plan.hpp"

namespace howdah::restore {

struct StartResult {
    double seconds_to_consistent = 0;
    double seconds_to_promoted = 0;
    std::string conninfo;
};

/// Starts a restored data directory with its own settings (pg_ctl of the backup's major version), waits until it is consistent and
/// promoted, and leaves it running. Failure(operation) with the server's last words when recovery ends in a failure.
StartResult start_restored(const std::filesystem::path& data_directory, const std::filesystem::path& programs, base::Duration patience,
                           const base::Cancellation& cancellation);

/// Settings that keep a restored copy to itself, above every configuration file: no archiving, no upstream, no logical workers, no
/// preloaded libraries (a job scheduler among them would run jobs), nothing but a private socket.
std::map<std::string, std::string> sandbox_settings();

/// Starts a restored directory as a sandbox: it lives and dies with the returned server object, is reached only through the private
/// socket, and has been promoted when this returns.
postgres::ScratchServer start_sandbox(const std::filesystem::path& data_directory, const std::filesystem::path& programs,
                                      base::Duration patience, const base::Cancellation& cancellation, StartResult* result = nullptr);

}  // namespace howdah::restore
