#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "postgres/cluster_facts.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {

/// A physical replica made by PostgreSQL's own means: a base copy of the protected server, brought to any later position by streaming.
/// Howdah has no part in it.
class Reference {
public:
    /// Copies the server as it is now into a folder of the workspace.
    Reference(ProtectedServer& protectee, const std::string& name);
    ~Reference();
    Reference(const Reference&) = delete;
    Reference& operator=(const Reference&) = delete;

    /// A copy of the replica that has replayed everything before `stop` and nothing behind it, was promoted there and shut down.
    std::filesystem::path at(const std::string& stop) const;

private:
    ProtectedServer& protectee_;
    std::filesystem::path base_;
};

/// What differs between two clusters that are shut down: main, init and visibility forks page by page, each masked as
/// wal_consistency_checking does, and the maps of relation files; "base/5/16402 block 3 (heap): differs". Empty: nothing.
/// `pages` counts those compared. Pages of zeros at the end of `restored`'s files, and pages of visibility maps without a bit, may be missing
/// in `replica`, with the whole file: no record tells of them. Nor does it have empty files of dropped relations, which a crash soon after a drop may leave behind in the server for good.
/// A catalog's page that lies beyond `stop` in one of the two was pruned by the session that waited for the promotion, and is passed over.
///
/// `without_maps` are databases (their oids) that were made with strategy wal_log, or copied from such a one: the server logs the pages of
/// visibility maps and of BRIN's maps of ranges as if their contents were a hole (RelationCopyStorageUsingBuffer, seen in 15), so a replica
/// begins with empty ones. There the replica may lack bits and entries; that the bits of the restored one are right is for pg_check_visible
/// to say.
std::vector<std::string> differences(const std::filesystem::path& restored, const std::filesystem::path& replica,
                                     const std::set<std::string>& without_maps, base::Lsn stop, std::uint64_t& pages);

}  // namespace howdah::tests
