#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/protected_server.hpp"

namespace howdah::tests {

/// The server that the tests of this folder share: 1 MiB segments, a passworded TCP port, one backup and WAL after it. Made at first use,
/// gone at the end. Tests leave it as they found it and change settings by the environment of the command only.
ProtectedServer& shared_server();

/// A path below the shared workspace that no other test has; nothing is there yet.
std::filesystem::path fresh_path(const std::string& name);
/// Makes the server's user the owner of everything below a path.
void give_to_server(const std::filesystem::path& path);
/// A copy of the shared repository with times and modes, owned by the server's user, and the variable that points the program at it.
std::filesystem::path copy_of_repository(const std::string& name);
Environment at_repository(const std::filesystem::path& repository);
/// A folder that looks like a data directory: global/pg_control of these bytes.
std::filesystem::path data_directory_with(const std::string& name, const std::string& control);
/// A control file recorded in the unit tests of src/postgres: "pg_control_13".
std::string recorded_control_file(const std::string& name);
/// A key file like those that repo init makes, with another key.
std::filesystem::path other_key_file();
/// The first and the newest archived segment of the shared server.
std::string first_segment();
std::string newest_segment();

/// Every name below some folders: of files with size and modification time. The journal is left out.
using Snapshot = std::map<std::string, std::string>;
Snapshot look_at(const std::vector<std::filesystem::path>& folders);
/// What differs, one line each; empty when nothing does.
std::string difference(const Snapshot& before, const Snapshot& after);

/// How a command is run and how it must fail.
struct Refusal {
    int exit_code = 1;
    std::string message = {};  ///< Part of the error text.
    Environment environment = {};
    std::filesystem::path directory = {};          ///< Where it runs; empty: the workspace.
    std::vector<std::filesystem::path> also = {};  ///< Looked at beside data directory, repository and state.
    std::filesystem::path config = {};             ///< Another configuration file.
    bool as_ourselves = false;                     ///< As the user of this test, root perhaps, instead of the server's.
};

/// Runs the program with the shared configuration.
base::ProcessResult run_program(const std::vector<std::string>& words, const Refusal& how = {});
/// Runs it and expects the exit code, the message, a hint, and that data directory, repository, state and the rest stayed as they were.
void expect_refused(const std::vector<std::string>& words, const Refusal& refusal);

}  // namespace howdah::tests
