#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backup/file_list.hpp"
#include "postgres/block_changes.hpp"
#include "repository/manifest.hpp"

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
    std::vector<ByteRange> read;  ///< Rising, not touching, within the listed size; everything beyond the parent's size.
    // What the parent stored of the file, of `compare` and `parts`.
    std::uint64_t stored_size = 0;
    std::vector<repository::Extent> stored;
    std::vector<repository::RecordedBadPage> stored_bad_pages;
    bool keeps_all() const { return kind == Kind::parts && read.empty(); }
};

/// Makes one plan for each listed file out of what the parent stored, which comes file by file, so that the parent's manifest is never in
/// memory whole. Files that it does not have are copied whole. Tells by `changes` where the WAL can be believed (main forks, T2, T7);
/// with a doubt everything is compared.
class FilePlanner {
public:
    /// `files` are sorted by path. Both must outlive it.
    FilePlanner(const std::vector<ListedFile>& files, const postgres::BlockChanges& changes);
    /// A file of the parent, by its whole path, with its extents at hand. It is quick for paths that rise, and takes them in any order.
    void add(const std::string& path, repository::FileEntry then);
    std::vector<FilePlan> take() { return std::move(plans_); }

private:
    const ListedFile* find(const std::string& path);

    const std::vector<ListedFile>& files_;
    const postgres::BlockChanges& changes_;
    std::vector<FilePlan> plans_;
    std::size_t next_ = 0;  ///< No file before it has the path looked for, or a later one.
};

/// The WAL's name for a relation's file, "base/5/16402.1"; none for any other path.
std::optional<postgres::ForkKey> fork_of(std::string_view path);

}  // namespace howdah::backup
