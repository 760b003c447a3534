#pragma once

#include <cstdint>
#include <vector>

#include "backup/file_list.hpp"
#include "backup/parent.hpp"
#include "postgres/block_changes.hpp"

namespace howdah::backup {

/// Bytes of a file, from `begin` up to `end`.
struct ByteRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t length() const { return end - begin; }
    bool operator==(const ByteRange&) const = default;
};

/// What becomes of a listed file in an incremental backup (docs/internals/incremental.md).
struct FilePlan {
    enum class Kind : std::uint8_t {
        whole,    ///< All of it is copied.
        compare,  ///< All of it is read beside what the parent stored; compare_files() makes `whole` or `parts` of it.
        parts,    ///< `read` is copied, the rest is where the parent stored it.
    };
    Kind kind = Kind::whole;
    const repository::FileEntry* parent = nullptr;  ///< Of `compare` and `parts`.
    std::vector<ByteRange> read;                    ///< Rising, not touching, within the listed size; everything beyond the parent's size.
    bool keeps_all() const { return kind == Kind::parts && read.empty(); }
};

/// One plan for each file. Tells by `changes` where the WAL can be believed (main forks, T2, T7); with a doubt everything is compared.
std::vector<FilePlan> plan_files(const std::vector<ListedFile>& files, const Parent& parent, const postgres::BlockChanges& changes);

/// The WAL's name for a relation's file, "base/5/16402.1"; none for any other path.
std::optional<postgres::ForkKey> fork_of(std::string_view path);

}  // namespace howdah::backup
