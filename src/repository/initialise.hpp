#pragma once

#include <filesystem>
#include <string>

#include "base/config.hpp"

namespace howdah::repository {

/// What `repo init` made.
struct Initialised {
    std::string id;
    bool encrypted = true;
    std::filesystem::path key_file;  ///< Empty: passphrase or no encryption.
    bool key_file_made = false;      ///< False: a valid one was there and is used.
};

/// Creates the marker, the first key slot and the first ledger entry in an empty place. Encrypts unless told otherwise: `key_file` (or
/// `passphrase`) of the configuration; a key file that is not there is made (0600), a valid one is used and never overwritten.
/// Refuses a place that already holds a repository (or anything else). What an interrupted one left, slots and a ledger entry without a
/// marker, is taken away once nothing was added to it for five seconds.
Initialised initialise(const base::RepositoryConfig& config, bool encrypt);

/// Whether a repository could be made there; throws what initialise() would, and changes nothing.
void check_initialise(const base::RepositoryConfig& config, bool encrypt);

}  // namespace howdah::repository
