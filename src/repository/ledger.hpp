#pragma once

#include <map>
#include <string>
#include <vector>

#include "repository/chain.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// Whether WAL was deleted on purpose. Only then may an entry name less of it than the one before; otherwise what vanished stays on the
/// books, so that no later operation hides a loss. Roots leave the books when an event says that they expired.
enum class LedgerChange { added, wal_removed };

/// What exists, written at the end of every operation that adds or removes something: the newest link of every chain, the roots of
/// every cluster, the key slots and the ends of every archived timeline. Chains show a missing link by the one after it; the ledger
/// shows a missing last one, and the other chains show a missing ledger entry. initialise(), append_event() and collect_garbage()
/// write it themselves; a backup calls it after publishing, whoever deletes WAL with `wal_removed`. WAL push does not write it: segments newer
/// than the newest entry are guarded by those that follow them.
void write_ledger(const Repository& repository, LedgerChange change = LedgerChange::added);

/// The entry of a new repository, before its marker; Failure(operation) when another writer made one.
void write_first_ledger(const Repository& repository);

/// What an entry after this one would say now.
std::string next_ledger_body(const Repository& repository, const std::optional<Link>& newest, LedgerChange change = LedgerChange::added);

/// The newest link of a chain as a ledger entry names it; zero when there is none.
std::uint64_t known_end(const std::optional<Link>& entry, const std::string& prefix);
std::uint64_t known_end(const Repository& repository, const std::string& prefix);

/// Differences between the newest ledger entry and what is there: each a sentence beginning with the object's name.
std::vector<std::string> compare_ledger(const Repository& repository);

/// The newest entry's number and hash; number zero when there is none or it is damaged, which verify tells.
LedgerMark newest_ledger_mark(const Repository& repository);

inline constexpr const char* kLedgerPrefix = "ledger/";
inline constexpr const char* kDoomedPrefix = "doomed/";

}  // namespace howdah::repository
