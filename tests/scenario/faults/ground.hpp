#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "inside.hpp"
#include "support/protected_server.hpp"
#include "support/trees.hpp"

namespace howdah::tests {

/// The server that the tests of this folder share: small, quiet, 1 MiB segments, an archive_command that keeps nothing, so that only what a
/// test does changes a repository. Its own repository holds a full backup, an incremental upon it and WAL behind both. Made at first use,
/// gone at the end.
ProtectedServer& shared_server();
/// Makes another, which has written no more WAL than its repository holds. No Place may be there.
void renew_server();

/// Some rows and a checkpoint; from then on the data directory stays as it is until the next change.
void change_rows();
/// Ends the current segment with some rows in it and gives its name.
std::string switch_segment();
/// The segments of pg_wal, complete ones only, from that one on.
std::vector<std::string> complete_segments(const std::string& from = {});

/// The ids of the good backups that a repository lists.
class Place;
std::vector<std::string> listed(const Place& place);

/// Makes the server's user the owner of everything below a path.
void give_to_server(const std::filesystem::path& path);

/// A repository and a state folder of one test's own, below the shared workspace; they go with the object.
class Place {
public:
    explicit Place(const std::string& name);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    const std::filesystem::path& folder() const { return folder_; }
    std::filesystem::path repository() const { return folder_ / "repository"; }
    std::filesystem::path state() const { return folder_ / "state"; }
    std::filesystem::path restored() const { return folder_ / "restored"; }
    /// Points the program at this place.
    Environment environment() const;
    base::RepositoryConfig repository_config() const;

    /// An empty state folder and a repository like that one: its objects are links to the same files, which are never written to.
    void reset(const std::filesystem::path& like);
    void reset() { reset(shared_server().repository()); }

    /// The program at this place.
    Ended run(const std::vector<std::string>& words, const Fault& fault = {}, const Environment& more = {}) const;
    /// The same without a fault; must exit 0, gives what it printed.
    std::string plain(const std::vector<std::string>& words) const;

    /// Removes what was restored, restores a backup to its end, and gives what is there then.
    Tree restore(const std::string& backup) const;

private:
    std::filesystem::path folder_;
};

/// What differs between a restored tree and the live data directory, leaving out what a backup does not keep or a restore writes anew.
std::string unlike_server(const Tree& restored);

}  // namespace howdah::tests
