#include "base/file.hpp"
#include "postgres/block_changes.hpp"
#include "postgres/varint.hpp"

namespace howdah::postgres {

namespace {

constexpr std::uint8_t kVersion = 1;
/// Below the mark of a relation: one bit for each fork that is there, and that all four are cut to nothing and have no blocks.
constexpr std::uint8_t kAllGone = 0x10;
/// Of a fork.
constexpr std::uint8_t kHasLimit = 1, kHasBlocks = 2;
constexpr std::uint64_t kAny32 = 0xFFFFFFFF, kAny64 = ~std::uint64_t{0};
constexpr std::uint64_t kLongestText = 200;

using Forks = std::map<ForkKey, ForkChanges>;
using Place = Forks::const_iterator;

bool same_database(const ForkKey& a, const ForkKey& b) { return a.tablespace == b.tablespace && a.database == b.database; }
bool same_relation(const ForkKey& a, const ForkKey& b) { return same_database(a, b) && a.relation == b.relation; }
bool is_gone(const ForkChanges& fork) { return fork.limit == 0; }

/// Tablespace and database, each after what it was before in a rising list.
void put_database(std::string& out, DatabaseKey database, DatabaseKey before) {
    put_varint(out, database.tablespace - before.tablespace);
    put_varint(out, database.tablespace == before.tablespace ? database.database - before.database : database.database);
}

void put_fork(std::string& out, const ForkChanges& fork) {
    const bool limited = fork.limit != ForkChanges::kNoLimit;
    out.push_back(static_cast<char>((limited ? kHasLimit : 0) | (fork.blocks.empty() ? 0 : kHasBlocks)));
    if (limited) put_varint(out, fork.limit);
    if (!fork.blocks.empty()) fork.blocks.encode(out);
}

/// One relation's forks, which begin at `at`; gives where the next relation's do.
Place put_relation(std::string& out, Place at, Place end) {
    std::uint8_t mark = 0;
    bool gone = true;
    Place after = at;
    for (; after != end && same_relation(after->first, at->first); ++after) {
        mark = static_cast<std::uint8_t>(mark | 1u << static_cast<unsigned>(after->first.fork));
        gone = gone && is_gone(after->second);
    }
    if (gone && mark == 0x0F) {
        out.push_back(static_cast<char>(kAllGone));
        return after;
    }
    out.push_back(static_cast<char>(mark));
    for (; at != after; ++at) put_fork(out, at->second);
    return after;
}

/// The relations of one database, each begun by its distance from the one before and ended by a distance of 0.
Place put_relations(std::string& out, Place at, Place end) {
    const ForkKey& first = at->first;
    std::uint64_t next = 0;
    while (at != end && same_database(at->first, first)) {
        put_varint(out, at->first.relation - next + 1);
        next = std::uint64_t{at->first.relation} + 1;
        at = put_relation(out, at, end);
    }
    put_varint(out, 0);
    return at;
}

DatabaseKey read_database(VarintReader& reader, DatabaseKey before) {
    const std::uint64_t tablespace = before.tablespace + reader.varint(kAny32);
    const std::uint64_t database = reader.varint(kAny32) + (tablespace == before.tablespace ? before.database : 0);
    if (tablespace > kAny32 || database > kAny32) reader.damaged("a database's number is too large");
    return {static_cast<std::uint32_t>(tablespace), static_cast<std::uint32_t>(database)};
}

ForkChanges read_fork(VarintReader& reader) {
    ForkChanges fork;
    const std::uint8_t parts = reader.byte();
    if (parts > (kHasLimit | kHasBlocks)) reader.damaged("a fork has an unknown part");
    if (parts & kHasLimit) fork.limit = static_cast<std::uint32_t>(reader.varint(kAny32 - 1));
    if (parts & kHasBlocks) fork.blocks = BlockSet::decode(reader);
    fork.blocks.erase_from(fork.limit);
    return fork;
}

void read_relation(VarintReader& reader, ForkKey key, Forks& forks) {
    const std::uint8_t mark = reader.byte();
    if (mark > kAllGone || mark == 0) reader.damaged("a relation has an unknown mark");
    for (const Fork fork : kForks) {
        key.fork = fork;
        if (mark == kAllGone)
            forks.emplace_hint(forks.end(), key, ForkChanges{0, {}});
        else if (mark & 1u << static_cast<unsigned>(fork))
            forks.emplace_hint(forks.end(), key, read_fork(reader));
    }
}

void read_relations(VarintReader& reader, DatabaseKey database, Forks& forks) {
    std::uint64_t next = 0;
    while (const std::uint64_t step = reader.varint(kAny32 + 1)) {
        next += step - 1;
        if (next > kAny32) reader.damaged("a relation's number is too large");
        read_relation(reader, {database.tablespace, database.database, static_cast<std::uint32_t>(next), Fork::main}, forks);
        ++next;
    }
}

}  // namespace

std::string BlockChanges::encode() const {
    std::string out(1, static_cast<char>(kVersion));
    put_varint(out, doubts_.size());
    for (const ChangeDoubt& doubt : doubts_) {
        out.push_back(static_cast<char>(doubt.kind));
        put_varint(out, doubt.lsn.value);
        put_varint(out, doubt.text.size());
        out += doubt.text;
    }
    put_varint(out, doubts_left_out_);
    put_varint(out, replaced_.size());
    DatabaseKey before;
    for (const DatabaseKey& database : replaced_) {
        put_database(out, database, before);
        before = database;
    }
    before = {};
    std::string groups;
    std::uint64_t count = 0;
    for (auto at = forks_.begin(); at != forks_.end(); ++count) {
        const DatabaseKey database{at->first.tablespace, at->first.database};
        put_database(groups, database, before);
        before = database;
        at = put_relations(groups, at, forks_.end());
    }
    put_varint(out, count);
    return out + groups;
}

BlockChanges BlockChanges::decode(std::span<const std::byte> bytes) {
    VarintReader reader(bytes, "a block summary");
    if (const auto version = reader.byte(); version != kVersion) reader.damaged("it is of no known version");
    BlockChanges changes;
    const std::size_t doubts = reader.count();
    if (doubts > kMostDoubts) reader.damaged("it has too many doubts");
    for (std::size_t at = 0; at < doubts; ++at) {
        ChangeDoubt doubt;
        const std::uint8_t kind = reader.byte();
        if (kind > static_cast<std::uint8_t>(DoubtKind::unfinished)) reader.damaged("a doubt is of no known kind");
        doubt.kind = static_cast<DoubtKind>(kind);
        doubt.lsn.value = reader.varint(kAny64);
        doubt.text = base::as_text(reader.take(static_cast<std::size_t>(reader.varint(kLongestText))));
        changes.doubts_.push_back(std::move(doubt));
    }
    changes.doubts_left_out_ = reader.varint(kAny64);
    if (changes.doubts_left_out_ > 0 && doubts < kMostDoubts) reader.damaged("its doubts are not those it counts");
    DatabaseKey before;
    for (std::size_t left = reader.count(); left > 0; --left) {
        before = read_database(reader, before);
        if (!changes.replaced_.insert(before).second) reader.damaged("a database is there twice");
    }
    before = {};
    const std::size_t databases = reader.count();
    for (std::size_t at = 0; at < databases; ++at) {
        const DatabaseKey database = read_database(reader, before);
        if (at > 0 && database == before) reader.damaged("a database is there twice");
        if (changes.is_replaced(database)) reader.damaged("a replaced database has relations");
        before = database;
        read_relations(reader, database, changes.forks_);
    }
    if (!reader.at_end()) reader.damaged("something follows it");
    return changes;
}

}  // namespace howdah::postgres
