#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "repository/repository.hpp"

namespace howdah::repository {

/// The newest ledger entry that was known when a link was written, so that a missing one shows.
struct LedgerMark {
    std::uint64_t number = 0;
    std::string hash;
};

/// A numbered chain of small documents below a prefix: "lease/00000001", "00000002", … Each names the keyed hash of the one before, and
/// the number of the oldest that was kept, so that a changed, missing or swapped link shows. Two writers cannot take one number: the
/// store creates only if absent.
struct Link {
    std::uint64_t number = 0;
    std::uint64_t oldest = 1;   ///< Links before it were deleted by gc.
    std::string previous_hash;  ///< Empty only for the first.
    std::string hash;           ///< Of this link's document (not part of it).
    std::string body;           ///< JSON of the owner: lease, event, ledger entry, doomed list.
    LedgerMark ledger;          ///< Number zero in the ledger itself and before its first entry.
    base::Timestamp modified;   ///< By the store's clock.
};

class Chain {
public:
    Chain(const Repository& repository, Kind kind, std::string prefix);

    /// The newest link; none when the chain is empty.
    std::optional<Link> newest() const;
    /// All kept links, oldest first; damage is Failure(operation).
    std::vector<Link> read() const;
    /// Appends after `after` (none: as the first); none when another writer took the number, also long ago: numbers that gc pruned are
    /// never used again.
    std::optional<Link> append(const std::optional<Link>& after, const std::string& body);
    /// Appends wherever the end is, trying again while others append. `body` may look at the newest link.
    Link append_anywhere(const std::function<std::string(const std::optional<Link>& newest)>& body);
    /// Deletes links older than the newest `keep` ones after appending a link after `newest` that says so: how many. None are deleted
    /// when another writer appended meanwhile. Only gc calls this.
    std::uint64_t prune(const Link& newest, std::uint64_t keep, const std::string& body);
    /// Names that look like links of this chain, with their numbers, in order.
    std::vector<std::pair<std::uint64_t, storage::Listed>> list() const;
    std::string link_name(std::uint64_t number) const;
    const std::string& prefix() const { return prefix_; }

private:
    std::optional<Link> write(const std::optional<Link>& after, std::uint64_t oldest, const std::string& body);
    Link read_link(std::uint64_t number, base::Timestamp modified) const;
    const Repository* repository_;
    Kind kind_;
    std::string prefix_;
};

}  // namespace howdah::repository
