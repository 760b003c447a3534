#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "journal/database.hpp"

namespace howdah::journal {

/// The database's format. Another one is refused: an older program must not append rows that a newer one cannot chain.
inline constexpr int kSchemaVersion = 1;

std::filesystem::path database_file(const std::filesystem::path& folder);

/// Opens the journal for appending; makes the folder (0700), the file and the tables when they are not there. Files are 0600, or also
/// for the folder's group when the folder is group-writable: that is how several users share one journal. Made by root in
/// somebody's folder they belong to the folder's owner.
std::unique_ptr<Database> open_for_append(const std::filesystem::path& folder, std::chrono::milliseconds wait);

/// Opens what is there for reading; none when nothing was ever written.
std::unique_ptr<Database> open_for_reading(const std::filesystem::path& folder, std::chrono::milliseconds wait);

/// Opens a file of the journal for reading and writing, making it by the rule above when it does not exist: then it appears with its
/// final owner and mode. Returns the descriptor; throws SystemFailure.
int open_journal_file(const std::filesystem::path& path, int flags);

}  // namespace howdah::journal
