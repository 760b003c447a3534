#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
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
    std::uint64_t oldest = 1;      ///< Links before it were deleted by gc.
    std::set<std::uint64_t> lost;  ///< Numbers from `oldest` on that a repair gave up: nothing is there, or nothing that can be read.
    std::string previous_hash;     ///< Empty only for the first; zeros after one that a repair gave up.
    std::string hash;              ///< Of this link's document (not part of it).
    std::string body;              ///< JSON of the owner: lease, event, ledger entry, doomed list.
    LedgerMark ledger;             ///< Number zero in the ledger itself and before its first entry.
    base::Timestamp modified;      ///< By the store's clock.
};

/// What is left of a chain that may be damaged.
struct Remains {
    std::vector<Link> good;                       ///< From the oldest kept link on, those that can be read and fit each other.
    std::map<std::uint64_t, std::string> damage;  ///< What a repair has to give up, and why.
    std::set<std::uint64_t> lost;                 ///< What earlier ones gave up.
    std::uint64_t oldest = 1, end = 0;            ///< `end` is the highest number known to have been used.
    base::Timestamp modified;                     ///< When the newest link was stored, readable or not.
    bool end_is_good() const { return !good.empty() && good.back().number == end; }
};

inline constexpr const char* kRepairHint = "put the object back from another copy of the repository, or give it up: howdah repo repair";

class Chain {
public:
    Chain(const Repository& repository, Kind kind, std::string prefix);

    /// The newest link; none when the chain is empty. Damage is told only when a second look meets it too, as gc may prune meanwhile; its
    /// hint names `howdah repo repair`. So for read().
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
    /// Looks at every link; `check_body` throws DamageFailure for one that makes no sense. `known_end` is the newest number that others name.
    Remains examine(std::uint64_t known_end, const std::function<void(const Link&)>& check_body) const;
    /// Appends a link with `body` that says what was lost, and then removes what cannot be read. Failure(locked) when another writer
    /// appended meanwhile.
    void give_up(const Remains& remains, const std::string& body);
    /// Names that look like links of this chain, with their numbers, in order.
    std::vector<std::pair<std::uint64_t, storage::Listed>> list() const;
    std::string link_name(std::uint64_t number) const;
    const std::string& prefix() const { return prefix_; }

private:
    std::optional<Link> write(const std::optional<Link>& after, std::uint64_t oldest, const std::string& body);
    bool put(Link& link);
    std::optional<Link> look_newest() const;
    std::vector<Link> look_all() const;
    Link read_link(std::uint64_t number, base::Timestamp modified) const;
    const Repository* repository_;
    Kind kind_;
    std::string prefix_;
};

}  // namespace howdah::repository
