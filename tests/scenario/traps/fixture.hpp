#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/process.hpp"
#include "support/protected_server.hpp"

/// What the traps share. Each test of suite Trap is named as the guard it is about: it passes with the guard on and fails with it off.
namespace howdah::tests {

/// Makes table shop with `rows` rows on disk: nothing of it is dirty or cached any more. Returns its file.
std::filesystem::path make_shop(ProtectedServer& protectee, int rows);

std::string count_of(const postgres::ScratchServer& server, const std::string& table);

/// Runs howdah-hooks in that folder as the server's user: how a restored server's archive_command would.
base::ProcessResult howdah_in(ProtectedServer& protectee, const std::filesystem::path& folder, const std::vector<std::string>& words);

/// A folder of the server's user, ready for a tablespace.
std::filesystem::path make_space(ProtectedServer& protectee, const std::string& name);

/// A tablespace of the running server in a folder of its own, with a table of 5000 rows, all on disk. Returns the folder.
std::filesystem::path make_tablespace(ProtectedServer& protectee, const std::string& tablespace, const std::string& table);

/// Every file below a folder with its bytes: equal means untouched.
std::map<std::string, std::string> contents(const std::filesystem::path& folder);

/// Files of the repository whose name contains that.
std::vector<std::filesystem::path> objects_named(const ProtectedServer& protectee, const std::string& part);

/// Restores the backup's end, promotes it to timeline 2, writes the row 'branch' into table shop there and archives that with its history.
void make_branch(ProtectedServer& protectee);

/// The parent of the incrementals to come: a full backup that begins in a WAL segment of its own, so that nothing before it is looked at again.
nlohmann::json take_parent(ProtectedServer& protectee);

/// An incremental that must not doubt the WAL: what `backup run` says of it.
nlohmann::json take_incremental(ProtectedServer& protectee);

/// Restores the newest backup to its end; `more` words follow. Returns the data directory.
std::filesystem::path restore_newest(ProtectedServer& protectee, const std::vector<std::string>& more = {});

/// Restores the newest backup: these databases must be as they are in the server, and every page and index in order.
void expect_like_server(ProtectedServer& protectee, const std::vector<std::string>& databases = {"postgres"},
                        const std::vector<std::string>& more = {});

/// SQL for a single-user server in binary upgrade mode, where relations are made with numbers of one's own choice. The server is stopped.
void run_single_user(ProtectedServer& protectee, const std::string& sql);

/// Pages of a relation's file that hold nothing but zeros, from that block on: extended without WAL.
std::size_t zero_pages(const std::filesystem::path& file, std::size_t first);

/// Runs the statement in a transaction that a crash ends before any of it reaches the WAL's files: what it extended is zeros afterwards.
void crash_during(ProtectedServer& protectee, const std::string& statement);
/// The settings that this takes.
ProtectedServer::Options crashing();

/// Runs a backup in the background, held at a pause point until it is let go.
class HeldBackup {
public:
    HeldBackup(ProtectedServer& protectee, const std::string& point);
    ~HeldBackup();
    HeldBackup(const HeldBackup&) = delete;
    HeldBackup& operator=(const HeldBackup&) = delete;
    /// Lets it go and waits for its end.
    base::ProcessResult finish();

private:
    struct Run;
    std::unique_ptr<Run> run_;
};

}  // namespace howdah::tests
