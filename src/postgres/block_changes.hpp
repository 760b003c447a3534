#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "postgres/block_set.hpp"

namespace howdah::postgres {

/// PostgreSQL's numbers of a relation's forks.
enum class Fork : std::uint8_t { main = 0, free_space = 1, visibility = 2, init = 3 };
inline constexpr std::array kForks{Fork::main, Fork::free_space, Fork::visibility, Fork::init};

/// A fork as WAL names it: tablespace, database (0: shared by all) and relation file number.
struct ForkKey {
    std::uint32_t tablespace = 0;
    std::uint32_t database = 0;
    std::uint32_t relation = 0;
    Fork fork = Fork::main;
    constexpr auto operator<=>(const ForkKey&) const = default;
};
/// All files of a database in one tablespace.
struct DatabaseKey {
    std::uint32_t tablespace = 0;
    std::uint32_t database = 0;
    constexpr auto operator<=>(const DatabaseKey&) const = default;
};

/// What a stretch of WAL says of one fork. `blocks` holds none at or above `limit`.
struct ForkChanges {
    static constexpr std::uint32_t kNoLimit = kNoBlock;
    std::uint32_t limit = kNoLimit;  ///< The smallest size in blocks that the fork was cut down to: 0 when created or dropped.
    BlockSet blocks;
};

enum class DoubtKind : std::uint8_t {
    unreadable = 0,       ///< WAL or a record that cannot be read or makes no sense.
    unknown_manager = 1,  ///< A record of a resource manager that is not PostgreSQL's own: an extension's may change what it does not name.
    unknown_record = 2,   ///< A record of no known kind, or one that says that it changes relations in a way that its blocks do not tell.
    minimal_level = 3,    ///< wal_level was minimal: new relations were written without WAL.
    unfinished = 4,       ///< A record that the segment's end cuts, whose rest could not be had.
};
/// Why a stretch of WAL does not tell all that changed.
struct ChangeDoubt {
    DoubtKind kind = DoubtKind::unreadable;
    std::string text;  ///< At most 200 bytes, "the record at 0/3000028 makes no sense".
    base::Lsn lsn;     ///< Where; zero when not known.
    bool operator==(const ChangeDoubt&) const = default;
};

/// Which blocks a stretch of WAL changes. What replaying the stretch can write to a relation's main fork is always within `changed`,
/// unless `doubted()`: then nothing is known and everything must be read. More may be named than changed, never less.
///
/// Not told, so that its reader copies these whole each time: visibility and free-space maps (their bits are cleared without naming the
/// block, T2; what WAL says of them is kept, but `changed` answers "all"), init forks, and everything that is no relation (T7: commit
/// logs, pg_filenode.map, PG_VERSION, pg_control ...). A truncation is kept for the main fork only.
///
/// A value; not thread-safe while it is changed. Takes about 100 bytes for each fork, 8 KiB or less for each 512 MiB of a fork that were
/// touched, 40 bytes for each database.
class BlockChanges {
public:
    /// Doubts kept one by one; of more only the number is known.
    static constexpr std::size_t kMostDoubts = 32;

    /// WAL names these blocks. None of them is kNoBlock.
    void add(const ForkKey& fork, BlockRange blocks);
    void add(const ForkKey& fork, const BlockSet& blocks);
    /// The fork had no more than `blocks` blocks at some moment: it was truncated (T3), created or dropped (0, T5).
    void cut(const ForkKey& fork, std::uint32_t blocks);
    /// Every file of the database in this tablespace was made anew or went away: created, dropped, copied or moved (T4).
    void replace(const DatabaseKey& database);
    void doubt(ChangeDoubt doubt);

    /// Adds what a later stretch says. Costs in proportion to `later`, not to what is here. The order does not matter for what is answered:
    /// blocks add up, the smallest limit and every replaced database stay.
    void append(const BlockChanges& later);

    bool empty() const { return forks_.empty() && replaced_.empty() && !doubted(); }
    bool doubted() const { return !doubts_.empty(); }
    const std::vector<ChangeDoubt>& doubts() const { return doubts_; }
    std::uint64_t doubts_left_out() const { return doubts_left_out_; }
    const std::map<ForkKey, ForkChanges>& forks() const { return forks_; }
    const std::set<DatabaseKey>& replaced() const { return replaced_; }
    bool is_replaced(const DatabaseKey& database) const { return replaced_.contains(database); }

    /// Which blocks of a fork, which had `blocks_then` blocks in the copy made at the beginning of the stretch and has `blocks_now`, may
    /// differ from that copy. Rising, not touching, within `window` (say, one file of 1 GiB) and below `blocks_now`:
    /// - those that WAL names;
    /// - all from the smallest limit on, and all from `blocks_then` on, because extending writes zeros without WAL (T3);
    /// - all, when the database was replaced, the fork is not the main one, the copy does not have it (`blocks_then` 0), or
    ///   there is a doubt.
    /// None means that nothing there changed but hint bits (T9). A file that the copy does not have is not found out here: give 0.
    std::vector<BlockRange> changed(const ForkKey& fork, std::uint32_t blocks_then, std::uint32_t blocks_now,
                                    BlockRange window = {0, kNoBlock}) const;

    /// Bytes as docs/internals/wal.md has them, without checksum or compression. The same changes give the same bytes.
    std::string encode() const;
    /// Failure(operation) when the bytes make no sense or are of a later version. Never takes more than about 100 times their size.
    static BlockChanges decode(std::span<const std::byte> bytes);
    bool operator==(const BlockChanges& other) const { return encode() == other.encode(); }

private:
    std::map<ForkKey, ForkChanges> forks_;
    std::set<DatabaseKey> replaced_;  ///< None of their forks is in forks_.
    std::vector<ChangeDoubt> doubts_;
    std::uint64_t doubts_left_out_ = 0;
};

}  // namespace howdah::postgres
